// Latency at equal open-loop load: HTTP requests at half of what the slowest contender can do.
import { startHttpTarget } from '../targets/nginx-http.mjs';
import { parseWrk, wrkCommand } from './http.mjs';
import { cpuMetric, microsecondsEach } from './row.mjs';

const connections = 64;
const calibrationSeconds = 1;

/** @param {import('../run.mjs').Run} run */
async function capacity(run) {
  const target = await startHttpTarget(run);
  const balancer = await run.startBalancer({ port: target.port });
  const { output } = await run.load(
    balancer,
    wrkCommand(balancer, connections, calibrationSeconds),
  );
  return parseWrk(output).perSecond;
}

/** @type {import('./row.mjs').Row} */
const openLoop = {
  name: 'open-loop',
  group: 'latency',
  title: `HTTP keep-alive, ${connections} connections, open loop at half of the slowest's capacity`,
  protocol: 'tcp',
  tools: ['wrk', 'nginx'],
  secondsEach: 1,
  metrics: [
    { name: 'p50', title: 'p50', unit: 'us', better: 'lower' },
    { name: 'p99', title: 'p99', unit: 'us', better: 'lower', reach: 0.9 },
    { name: 'p999', title: 'p99.9', unit: 'us', better: 'lower' },
    cpuMetric({ unit: 'us/request' }),
    { name: 'load', title: 'load', unit: '/s', better: 'higher', plain: true },
  ],
  prepare: async (runs) => {
    /** @type {number[]} */
    const rates = [];
    for (const name of ['sluice', 'haproxy', 'nginx', 'pen']) {
      const run = await runs(name);
      if (run !== null) rates.push(await capacity(run));
    }
    return Math.max(100, Math.round(Math.min(...rates) / 2));
  },
  measure: async (run) => {
    const rate = Number(run.prepared);
    const target = await startHttpTarget(run);
    const balancer = await run.startBalancer({ port: target.port });
    const before = await target.requests();
    const load = { protocol: 'http', connections, rate };
    const { figures, usage, marks } = await run.openLoop(balancer, load);
    const counted = (await target.requests()) - before;
    return {
      values: {
        p50: figures('p50_us'),
        p99: figures('p99_us'),
        p999: figures('p999_us'),
        cpu: microsecondsEach(usage.coreSeconds, figures('sent')),
        load: rate,
      },
      usage,
      counts: [{ unit: 'requests', client: figures('requests'), target: counted, slack: 0 }],
      marks,
    };
  },
};

export const openLoopRows = [openLoop];
