// HTTP by wrk in front of nginx: kept-alive connections, and one connection for each request.
import { startHttpTarget } from '../targets/nginx-http.mjs';
import { pathOf } from '../tools.mjs';
import { cpuMetric, microsecondsEach } from './row.mjs';

/** wrk's units of time in microseconds. @type {Readonly<Record<string, number>>} */
const unitsUs = { us: 1, ms: 1e3, s: 1e6, m: 60e6 };

/** @param {string} output of wrk --latency */
export function parseWrk(output) {
  const requests = /(\d+) requests in/.exec(output)?.[1];
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(output)?.[1];
  const p99 = /^\s+99%\s+([\d.]+)(us|ms|s|m)$/m.exec(output);
  if (requests === undefined || rate === undefined || p99 === null) {
    throw new Error(`not wrk's output: ${output}`);
  }
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(
    output,
  );
  const [connect = 0, read = 0, write = 0, timeout = 0] = errors?.slice(1).map(Number) ?? [];
  const notOk = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0);
  return {
    requests: Number(requests),
    perSecond: Number(rate),
    p99Us: Number(p99[1]) * (unitsUs[p99[2] ?? ''] ?? 1),
    errors: connect + read + write + timeout + notOk,
  };
}

/**
 * @param {import('../run.mjs').Balancer} balancer
 * @param {number} connections
 * @param {number} seconds
 */
export function wrkCommand(balancer, connections, seconds) {
  const whole = Math.max(1, Math.round(seconds));
  return [
    ...[pathOf('wrk'), '--latency', '-t', '1', '-c', String(connections), '-d', `${whole}s`],
    `http://${balancer.address}/`,
  ];
}

/**
 * @param {object} load
 * @param {number} load.connections
 * @param {boolean} load.close
 * @param {import('./row.mjs').Metric[]} load.metrics
 * @returns {import('./row.mjs').Row}
 */
function http({ connections, close, metrics }) {
  return {
    name: close ? 'http-close' : `http-keep-alive-${connections}`,
    group: 'http',
    title: close
      ? `HTTP, a connection per request, ${connections} at once`
      : `HTTP keep-alive, ${connections} connection${connections === 1 ? '' : 's'}`,
    protocol: 'tcp',
    tools: ['wrk', 'nginx'],
    secondsEach: 1,
    metrics,
    measure: async (run) => {
      const target = await startHttpTarget(run);
      const balancer = await run.startBalancer({ port: target.port });
      const command = wrkCommand(balancer, connections, run.seconds);
      const before = await target.requests();
      const load = await run.load(balancer, [
        ...command.slice(0, -1),
        ...(close ? ['-H', 'Connection: close'] : []),
        ...command.slice(-1),
      ]);
      const counted = (await target.requests()) - before;
      const wrk = parseWrk(load.output);
      return {
        values: {
          rate: wrk.perSecond,
          cpu: microsecondsEach(load.usage.coreSeconds, counted),
          p99: wrk.p99Us,
          errors: wrk.errors,
        },
        usage: load.usage,
        // wrk leaves without waiting for what it has asked last.
        counts: [
          {
            unit: 'requests',
            client: wrk.requests,
            target: counted,
            slack: 2 * connections + wrk.errors + counted * 0.002,
          },
        ],
        marks: load.marks,
      };
    },
  };
}

/** @type {import('./row.mjs').Metric[]} */
const latencyAndErrors = [
  { name: 'p99', title: 'p99 under full load', unit: 'us', better: 'lower' },
  { name: 'errors', title: 'errors', unit: '', better: 'lower', plain: true },
];

/** @param {boolean} asked are the ratios of the issue asked of this row? */
const keepAliveMetrics = (asked) => [
  /** @type {import('./row.mjs').Metric} */ ({
    name: 'rate',
    title: 'requests',
    unit: '/s',
    better: 'higher',
    ...(asked ? { reach: 1 } : {}),
  }),
  cpuMetric({ unit: 'us/request', ...(asked ? { reach: 0.9 } : {}) }),
  ...latencyAndErrors,
];

export const httpRows = [
  ...[1, 64, 1000].map((connections) =>
    http({ connections, close: false, metrics: keepAliveMetrics(connections === 64) }),
  ),
  http({
    connections: 64,
    close: true,
    metrics: [
      { name: 'rate', title: 'connections', unit: '/s', better: 'higher', reach: 1.05 },
      cpuMetric({ unit: 'us/connection', reach: 0.95 }),
      ...latencyAndErrors,
    ],
  }),
];
