// Redis GET by redis-benchmark: one command at a time on 50 connections, and pipelined by 32.
import { startRedisTarget } from '../targets/redis.mjs';
import { pathOf } from '../tools.mjs';
import { cpuMetric, microsecondsEach } from './row.mjs';

/** redis-benchmark counts requests, not seconds: about what a second takes. */
const requestsPerSecond = { plain: 40_000, pipelined: 300_000 };

/** @param {string} output of redis-benchmark --csv */
export function parseRedisBenchmark(output) {
  const lines = output.trim().split('\n').map(splitCsv);
  const header = lines.find(([first]) => first === 'test');
  const values = lines.find(([first]) => first === 'GET');
  const at = (/** @type {string} */ name) => Number(values?.[header?.indexOf(name) ?? -1]);
  const figures = { perSecond: at('rps'), p99Us: at('p99_latency_ms') * 1000 };
  if (!Number.isFinite(figures.perSecond + figures.p99Us)) {
    throw new Error(`not redis-benchmark's output: ${output}`);
  }
  return figures;
}

/** @param {string} line */
const splitCsv = (line) => line.split(',').map((cell) => cell.replaceAll('"', ''));

/**
 * @param {'plain' | 'pipelined'} kind @param {number} pipeline @param {number} reach
 * @returns {import('./row.mjs').Row}
 */
function redis(kind, pipeline, reach) {
  return {
    name: `redis-${kind}`,
    group: 'redis',
    title: `Redis GET, 50 connections${pipeline > 1 ? `, pipelined by ${pipeline}` : ''}`,
    protocol: 'tcp',
    tools: ['redis-server', 'redis-benchmark'],
    secondsEach: 1,
    metrics: [
      { name: 'rate', title: 'requests', unit: '/s', better: 'higher', reach },
      cpuMetric({ unit: 'us/request' }),
      { name: 'p99', title: 'p99 under full load', unit: 'us', better: 'lower' },
    ],
    measure: async (run) => {
      const target = await startRedisTarget(run);
      const balancer = await run.startBalancer({ port: target.port });
      const [host = '', port = ''] = balancer.address.split(':');
      const requests = Math.round(requestsPerSecond[kind] * run.seconds);
      const before = target.commands();
      const load = await run.load(balancer, [
        ...[pathOf('redis-benchmark'), '-h', host, '-p', port, '-t', 'get', '-c', '50'],
        ...['-n', String(requests), '-P', String(pipeline), '--csv'],
      ]);
      const counted = target.commands() - before;
      const { perSecond, p99Us } = parseRedisBenchmark(load.output);
      return {
        values: {
          rate: perSecond,
          cpu: microsecondsEach(load.usage.coreSeconds, requests),
          p99: p99Us,
        },
        usage: load.usage,
        // Beside our own questions: its CONFIG GETs, and whole pipelines on every connection.
        counts: [
          { unit: 'requests', client: requests, target: counted, slack: 20 + 50 * pipeline },
        ],
        marks: load.marks,
      };
    },
  };
}

export const redisRows = [redis('plain', 1, 1.05), redis('pipelined', 32, 1.15)];
