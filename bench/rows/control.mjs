// The control plane seen from outside: how soon a start accepts, and a reload under load.
import { writeFileSync } from 'node:fs';
import { program } from '../build.mjs';
import { sluiceConfig, sluiceConfigFile } from '../contenders/sluice.mjs';
import { parseFigures } from '../run.mjs';
import { BrokenMeasurement } from '../sanity.mjs';
import { startEchoTarget } from '../targets/echo.mjs';

const reloadTargets = 5000;
const requestRate = 4000;

/** @type {import('./row.mjs').Row} */
const startUp = {
  name: 'start-up',
  group: 'control',
  title: 'start of the process to the first answered connection',
  protocol: 'tcp',
  tools: [],
  secondsEach: 1,
  metrics: [{ name: 'time', title: 'time', unit: 'ms', better: 'lower' }],
  only: ['sluice', 'haproxy', 'nginx', 'pen', 'floor'],
  measure: async (run) => {
    const target = await startEchoTarget(run, { protocol: 'tcp' });
    const startedUs = Number(process.hrtime.bigint() / 1000n);
    const balancer = await run.startBalancer({ port: target.port });
    const words = ['--connect', balancer.address, '--timeout-ms', '20000'];
    const output = await run.programs.run('client', [program('first_connection'), ...words]);
    const answeredUs = parseFigures(output)('monotonic_us');
    const accepted = (await target.counted())('accepted');
    return {
      values: { time: (answeredUs - startedUs) / 1000 },
      usage: null,
      counts: [{ unit: 'connections', client: 1, target: accepted, slack: 0 }],
      marks: [],
    };
  },
};

/** @param {import('../run.mjs').Run} run @param {import('../run.mjs').Balancer} balancer */
async function load(run, balancer) {
  const options = { protocol: 'echo', connections: 64, rate: requestRate };
  return (await run.openLoop(balancer, options)).figures;
}

/**
 * Asks for a reload and returns how long it took until every worker had the new table.
 * @param {import('../run.mjs').Balancer} balancer
 */
async function reloadOnce({ program: sluice }) {
  if (sluice === null) throw new BrokenMeasurement('there is no process to reload');
  const from = sluice.output.length;
  const askedMs = performance.now();
  sluice.signal('SIGHUP');
  await sluice.line((line) => /"event":"reload_(applied|refused)"/.test(line), from);
  const took = performance.now() - askedMs;
  if (!sluice.output.slice(from).includes('"event":"reload_applied"')) {
    throw new BrokenMeasurement(`a reload was refused: ${sluice.output.slice(from)}`);
  }
  return took;
}

/** @type {import('./row.mjs').Row} */
const reload = {
  name: 'reload-5000',
  group: 'control',
  title: `reloads of ${reloadTargets} targets under ${requestRate} messages/s`,
  protocol: 'tcp',
  tools: [],
  only: ['sluice'],
  secondsEach: 4,
  metrics: [
    { name: 'applied', title: 'SIGHUP to applied', unit: 'ms', better: 'lower', atMost: 250 },
    { name: 'p99', title: 'p99 while reloading', unit: 'us', better: 'lower', plain: true },
    { name: 'calm', title: 'p99 without', unit: 'us', better: 'lower', plain: true },
    { name: 'ratio', title: 'p99 while / without', unit: 'x', better: 'lower', atMost: 1.2 },
  ],
  measure: async (run) => {
    const target = await startEchoTarget(run, { protocol: 'tcp', manyAddresses: true });
    const balancer = await run.startBalancer({ port: target.port, targetCount: reloadTargets });
    const calm = await load(run, balancer);
    /** @type {number[]} */
    const took = [];
    const loaded = load(run, balancer);
    const endMs = performance.now() + run.durationMs;
    // Every other file drops one target, so that each reload changes the table.
    const targets = run.topology
      .manyTargets(reloadTargets)
      .map((address) => `${address}:${target.port}`);
    for (let turn = 0; turn < 50 && performance.now() < endMs; turn++) {
      const config = sluiceConfig({
        protocol: 'tcp',
        listen: balancer.address,
        targets: targets.slice(turn % 2 === 0 ? 1 : 0),
        folder: balancer.folder,
      });
      writeFileSync(sluiceConfigFile(balancer.folder), config);
      took.push(await reloadOnce(balancer));
    }
    const figures = await loaded;
    const slowest = Math.max(...took);
    const messages = figures('requests') + calm('requests');
    const counted = (await target.counted())('bytes') / figures('answer_bytes');
    return {
      values: {
        applied: slowest,
        p99: figures('p99_us'),
        calm: calm('p99_us'),
        ratio: figures('p99_us') / calm('p99_us'),
      },
      usage: null,
      counts: [{ unit: 'messages', client: messages, target: counted, slack: 0 }],
      marks: [],
    };
  },
};

export const controlRows = [startUp, reload];
