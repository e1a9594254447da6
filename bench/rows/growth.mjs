// Growth: what an operation costs with more connections, more targets, more workers. Each row is
// compared with the smallest of its kind.
import { startEchoTarget } from '../targets/echo.mjs';
import { cpuMetric, microsecondsEach } from './row.mjs';

/** Far below what any contender can do, so that all do the same work. */
const requestRate = 4000;

/**
 * An open-loop load of small echoed messages.
 * @param {import('../run.mjs').Run} run
 * @param {{ connections: number, workers?: number }} options
 */
async function echoLoad(run, { connections, workers }) {
  const target = await startEchoTarget(run, { protocol: 'tcp' });
  const balancer = await run.startBalancer({
    port: target.port,
    ...(workers === undefined ? {} : { workers }),
  });
  const { figures, usage, marks } = await run.openLoop(balancer, {
    protocol: 'echo',
    connections,
    rate: requestRate,
  });
  const echoedBytes = (await target.counted())('bytes');
  const counted = echoedBytes / figures('answer_bytes');
  /** @type {import('../sanity.mjs').Count} */
  const count = { unit: 'requests', client: figures('requests'), target: counted, slack: 0 };
  return { figures, usage, marks, counts: [count] };
}

/** @param {number} connections @returns {import('./row.mjs').Row} */
function byConnections(connections) {
  const name = (/** @type {number} */ count) => `growth-connections-${count}`;
  return {
    name: name(connections),
    group: 'growth',
    title: `${requestRate} messages/s over ${connections} connections`,
    protocol: 'tcp',
    tools: [],
    secondsEach: 1.5,
    metrics: [
      cpuMetric({ unit: 'us/message' }),
      { name: 'p99', title: 'p99', unit: 'us', better: 'lower' },
    ],
    ...(connections === 9000 ? { growth: { base: name(100), metric: 'cpu', atMost: 1.3 } } : {}),
    measure: async (run) => {
      const { figures, usage, marks, counts } = await echoLoad(run, { connections });
      return {
        values: {
          cpu: microsecondsEach(usage.coreSeconds, figures('sent')),
          p99: figures('p99_us'),
        },
        usage,
        counts,
        marks,
      };
    },
  };
}

/**
 * @param {number} targetCount @param {string} [policy]
 * @returns {import('./row.mjs').Row}
 */
function byTargets(targetCount, policy) {
  const name = (/** @type {number} */ count) =>
    `growth-targets-${count}${policy === undefined ? '' : `-${policy.replaceAll('_', '-')}`}`;
  return {
    name: name(targetCount),
    group: 'growth',
    title: `short connections, ${targetCount} targets${policy === undefined ? '' : `, ${policy}`}`,
    protocol: 'tcp',
    tools: [],
    only: ['sluice'],
    secondsEach: 1.5,
    metrics: [
      cpuMetric({ unit: 'us/connection' }),
      { name: 'rate', title: 'connections', unit: '/s', better: 'higher' },
    ],
    ...(targetCount === 5000 ? { growth: { base: name(1), metric: 'cpu', atMost: 1.1 } } : {}),
    measure: async (run) => {
      const target = await startEchoTarget(run, { protocol: 'tcp', manyAddresses: true });
      const balancer = await run.startBalancer({
        port: target.port,
        targetCount,
        ...(policy === undefined ? {} : { policy }),
      });
      const { figures, usage, marks } = await run.generate(balancer, 'connect_storm', {
        concurrency: 16,
        'duration-ms': run.durationMs,
      });
      const accepted = (await target.counted())('accepted');
      return {
        values: {
          cpu: microsecondsEach(usage.coreSeconds, figures('completed')),
          rate: figures('completed') / figures('seconds'),
        },
        usage,
        counts: [
          {
            unit: 'connections',
            client: figures('completed'),
            target: accepted,
            slack: 16 + figures('failed'),
          },
        ],
        marks: figures('ports_exhausted') > 0 ? [...marks, 'ports exhausted'] : marks,
      };
    },
  };
}

/**
 * Two workers run on both cores, beside the load: their own CPU time is what can be compared, not
 * a core's.
 * @param {number} workers
 * @returns {import('./row.mjs').Row}
 */
function byWorkers(workers) {
  const name = (/** @type {number} */ count) => `growth-workers-${count}`;
  return {
    name: name(workers),
    group: 'growth',
    title: `${requestRate} messages/s over 64 connections, workers: ${workers}`,
    protocol: 'tcp',
    tools: [],
    only: ['sluice'],
    secondsEach: 1,
    metrics: [cpuMetric({ title: 'CPU of the process', unit: 'us/message' })],
    ...(workers === 2 ? { growth: { base: name(1), metric: 'cpu', atMost: 1.15 } } : {}),
    measure: async (run) => {
      const { figures, usage, marks, counts } = await echoLoad(run, { connections: 64, workers });
      return {
        values: { cpu: microsecondsEach(usage.processSeconds, figures('sent')) },
        usage,
        counts,
        // With a worker beside the load, cores are shared by intention.
        marks: workers > 1 ? marks.filter((mark) => mark === 'generator late') : marks,
      };
    },
  };
}

export const growthRows = [
  ...[10, 100, 1000, 9000].map(byConnections),
  ...[1, 10, 100, 1000, 5000].map((count) => byTargets(count)),
  ...[1, 5000].map((count) => byTargets(count, 'least_connections')),
  ...[1, 2].map(byWorkers),
];
