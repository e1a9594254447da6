// Run: one measurement of one contender. Starts target, balancer and load, and meters the load.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from './build.mjs';
import { portOf } from './contenders/contender.mjs';
import { metered } from './measure/meter.mjs';
import { BrokenMeasurement, marksOf } from './sanity.mjs';
import { freePort } from './topology/topology.mjs';

/** @typedef {import('./contenders/contender.mjs').Job} Job */

/** A generator that sends more than this share of its requests late is itself the limit. */
const lateShareMax = 0.05;

/**
 * @typedef {object} Balancer what clients talk to
 * @property {string} address
 * @property {number} pid 0 when there is none ("direct")
 * @property {string} folder of its configuration
 * @property {import('./programs.mjs').Program | null} program
 */

/**
 * @typedef {object} Environment what all runs share
 * @property {import('./topology/topology.mjs').Topology} topology
 * @property {import('./programs.mjs').Programs} programs
 * @property {import('./cleanup.mjs').Cleanup} cleanup
 * @property {number} balancerCore
 * @property {number} clientCore
 * @property {number} seconds of load
 */

export class Run {
  #environment;

  /**
   * @param {Environment} environment
   * @param {import('./contenders/contender.mjs').Contender} contender
   * @param {unknown} prepared
   */
  constructor(environment, contender, prepared) {
    this.#environment = environment;
    this.contender = contender;
    this.prepared = prepared;
  }

  get seconds() {
    return this.#environment.seconds;
  }

  get durationMs() {
    return Math.round(this.#environment.seconds * 1000);
  }

  get topology() {
    return this.#environment.topology;
  }

  get programs() {
    return this.#environment.programs;
  }

  /** A folder for files, removed with the run. */
  folder() {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
    this.#environment.cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  /** An address of the target's side to listen on. */
  async targetListen() {
    return `${this.topology.targetListen}:${await freePort()}`;
  }

  /**
   * Starts the contender in front of `targets`. Without a balancer clients are given the target.
   * @param {{ port: number, protocol?: 'tcp' | 'udp', targetCount?: number, bulk?: boolean,
   *   workers?: number, policy?: string | { name: string, load: string } }} options
   * @returns {Promise<Balancer>}
   */
  async startBalancer({ port, protocol = 'tcp', targetCount = 1, bulk = false, workers, policy }) {
    const { topology, programs, balancerCore, clientCore } = this.#environment;
    if (this.contender.kind === 'direct') {
      return { address: `${topology.directAddress}:${port}`, pid: 0, folder: '', program: null };
    }
    const addresses =
      targetCount === 1 ? [topology.targetAddress] : topology.manyTargets(targetCount);
    /** @type {Job} */
    const job = {
      protocol,
      listen: `${topology.balancerAddress}:${await freePort()}`,
      targets: addresses.map((address) => `${address}:${port}`),
      folder: this.folder(),
      bulk,
      ...(workers === undefined ? {} : { workers }),
      ...(policy === undefined ? {} : { policy }),
    };
    const cores = (workers ?? 1) > 1 ? `${balancerCore},${clientCore}` : String(balancerCore);
    const started = programs.start('balancer', this.contender.command(job), { cores });
    await started.bound(protocol, portOf(job.listen));
    return { address: job.listen, pid: started.pid, folder: job.folder, program: started };
  }

  /**
   * Runs a client to its end, metering what it costs the balancer.
   * @param {Balancer} balancer @param {string[]} command
   */
  async load(balancer, command) {
    const { result, usage } = await this.meter(balancer, () =>
      this.programs.run('client', command),
    );
    return { output: result, usage, marks: marksOf(usage) };
  }

  /**
   * The same for one of the bench's own generators, whose output is a line of figures.
   * @param {Balancer} balancer
   * @param {string} name
   * @param {Record<string, string | number>} options
   */
  async generate(balancer, name, options) {
    const { output, usage, marks } = await this.load(
      balancer,
      generatorCommand(balancer, name, options),
    );
    return { figures: parseFigures(output), usage, marks };
  }

  /**
   * Open-loop load; metered from when all its connections are open, for connecting thousands is
   * not what it measures.
   * @param {Balancer} balancer @param {Record<string, string | number>} options
   */
  async openLoop(balancer, options) {
    const command = generatorCommand(balancer, 'open_loop', {
      'duration-ms': this.durationMs,
      ...options,
    });
    const generator = this.programs.start('client', command);
    await generator.line((line) => line.includes('ready'));
    const { result, usage } = await this.meter(balancer, () => generator.finished());
    const figures = parseFigures(result);
    const unanswered = figures('failed');
    if (unanswered > 0) throw new BrokenMeasurement(`${unanswered} requests without an answer`);
    /** @type {import('./sanity.mjs').Mark[]} */
    const late = figures('late') > figures('sent') * lateShareMax ? ['generator late'] : [];
    return { figures, usage, marks: [...marksOf(usage), ...late] };
  }

  /** @template T @param {Balancer} balancer @param {() => Promise<T>} work */
  meter(balancer, work) {
    const { balancerCore, clientCore } = this.#environment;
    return metered({ pid: balancer.pid, balancerCore, clientCore }, work);
  }
}

/**
 * @param {Balancer} balancer
 * @param {string} name
 * @param {Record<string, string | number>} options
 */
function generatorCommand(balancer, name, options) {
  const words = Object.entries({ connect: balancer.address, ...options });
  return [program(name), ...words.flatMap(([option, value]) => [`--${option}`, String(value)])];
}

/** The last line of figures that a generator or a target of ours printed. @param {string} output */
export function parseFigures(output) {
  /** @type {Record<string, number>} */
  const figures = JSON.parse(output.trim().split('\n').at(-1) ?? '{}');
  return (/** @type {string} */ name) => {
    const value = figures[name];
    if (value === undefined) throw new Error(`no figure ${name} in ${output}`);
    return value;
  };
}
