// Programs that the bench starts: each in the namespace and on the core of its role, ended by the
// bench. They get a session of their own, so that Ctrl-C reaches the bench alone, which then ends
// them in order.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { isBound } from './measure/proc.mjs';
import { BrokenMeasurement } from './sanity.mjs';

/** @typedef {'client' | 'balancer' | 'target'} Role */
/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

const endTimeoutMs = 5000;
const bindTimeoutMs = 20_000;
const pollMs = 5;

/** @param {number} ms @returns {Promise<void>} */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Program {
  #child;
  #name;
  #exited;
  #output = '';
  #errors = '';
  /** @type {Set<() => void>} */
  #watchers = new Set();

  /** @param {string} name @param {ChildProcess} child */
  constructor(name, child) {
    this.#name = name;
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.#output += text;
      for (const watcher of this.#watchers) watcher();
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#exited = once(child, 'close').then(() => {
      for (const watcher of this.#watchers) watcher();
    });
    // A program that could not be started at all closes too; `ended` then has no code.
    child.on('error', (error) => {
      this.#errors += error.message;
    });
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  get output() {
    return this.#output;
  }

  get ended() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null || this.pid === 0;
  }

  /** What it printed last, for messages. */
  get lastWords() {
    const printed = `${this.#output}\n${this.#errors}`.trim().split('\n');
    return `${this.#name}: ${printed.slice(-5).join('\n')}`;
  }

  /**
   * The first line of output, at `from` or later, that is accepted.
   * @param {(line: string) => boolean} accepts @param {number} [from] of the output's length
   * @returns {Promise<string>}
   */
  async line(accepts, from = 0) {
    const find = () => {
      const text = this.#output.slice(from);
      return text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .find(accepts);
    };
    let found = find();
    while (found === undefined) {
      if (this.ended) throw new BrokenMeasurement(`${this.lastWords}\nended too early`);
      await new Promise((resolve) => {
        const watcher = () => {
          this.#watchers.delete(watcher);
          resolve(undefined);
        };
        this.#watchers.add(watcher);
      });
      found = find();
    }
    return found;
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    if (!this.ended) this.#child.kill(signal);
  }

  /** Resolves when it has ended by itself and all its output is read. */
  async finished() {
    await this.#exited;
    if (this.#child.exitCode !== 0) {
      throw new BrokenMeasurement(`${this.lastWords}\nended with ${this.#child.exitCode}`);
    }
    return this.#output;
  }

  /** Ends it, by force after a while. Resolves with its whole output. */
  async stop(/** @type {NodeJS.Signals} */ signal = 'SIGTERM') {
    if (!this.ended) {
      this.#child.kill(signal);
      const timer = setTimeout(() => this.#killSession(), endTimeoutMs);
      await this.#exited;
      clearTimeout(timer);
    }
    return this.#output;
  }

  #killSession() {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }

  /**
   * Waits until it has a socket bound to `port`.
   * @param {'tcp' | 'udp'} protocol @param {number} port
   */
  async bound(protocol, port) {
    const deadline = performance.now() + bindTimeoutMs;
    while (!this.#hasBound(protocol, port)) {
      if (this.ended || performance.now() > deadline) {
        throw new BrokenMeasurement(`${this.lastWords}\ndoes not listen`);
      }
      await pause(pollMs);
    }
  }

  /** @param {'tcp' | 'udp'} protocol @param {number} port */
  #hasBound(protocol, port) {
    // The files of the program's own namespace, IPv4 and IPv6.
    return [protocol, `${protocol}6`].some((name) => {
      try {
        return isBound(readFileSync(`/proc/${this.pid}/net/${name}`, 'utf8'), port);
      } catch {
        return false;
      }
    });
  }
}

export class Programs {
  #topology;
  #cores;
  #cleanup;

  /**
   * @param {import('./topology/topology.mjs').Topology} topology
   * @param {Readonly<Record<Role, string>>} cores as taskset takes them
   * @param {import('./cleanup.mjs').Cleanup} cleanup
   */
  constructor(topology, cores, cleanup) {
    this.#topology = topology;
    this.#cores = cores;
    this.#cleanup = cleanup;
  }

  /**
   * @param {Role} role @param {readonly string[]} command
   * @param {{ cores?: string, stopSignal?: NodeJS.Signals }} [options]
   */
  start(role, command, options = {}) {
    const cores = options.cores ?? this.#cores[role];
    const words = [...this.#topology.prefix[role], 'taskset', '-c', cores, ...command];
    const [file = '', ...args] = words;
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const program = new Program(command[0]?.split('/').at(-1) ?? '', child);
    this.#cleanup.add(async () => {
      await program.stop(options.stopSignal);
    });
    return program;
  }

  /**
   * Runs a program to its end and returns its output.
   * @param {Role} role
   * @param {string[]} command
   */
  async run(role, command) {
    return this.start(role, command).finished();
  }
}
