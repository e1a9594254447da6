// Idle connections: what each costs in memory, and a storm of short ones while thousands are idle.
import { program } from '../build.mjs';
import { memoryKib, processTree, slabKib } from '../measure/meter.mjs';
import { parseFigures } from '../run.mjs';
import { BrokenMeasurement } from '../sanity.mjs';
import { startEchoTarget } from '../targets/echo.mjs';
import { cpuMetric, microsecondsEach } from './row.mjs';

const idleConnections = 9000;
const crowdDuringStorm = 5000;

/**
 * Opens idle connections and holds them.
 * @param {import('../run.mjs').Run} run @param {import('../run.mjs').Balancer} balancer
 * @param {number} connections
 */
async function openCrowd(run, balancer, connections) {
  const words = ['--connect', balancer.address, '--connections', String(connections)];
  const crowd = run.programs.start('client', [program('idle_crowd'), ...words]);
  await crowd.line((line) => line.includes('ready'));
  return {
    /** Lets go of them; throws when any had been closed meanwhile. */
    close: async () => {
      const open = parseFigures(await crowd.stop())('open');
      if (open !== connections) {
        throw new BrokenMeasurement(`${connections - open} idle connections were closed`);
      }
    },
  };
}

/** @type {import('./row.mjs').Row} */
const memory = {
  name: 'idle-memory',
  group: 'idle',
  title: `${idleConnections} idle connections`,
  protocol: 'tcp',
  tools: [],
  secondsEach: 2,
  metrics: [
    { name: 'user', title: 'memory', unit: 'KiB/connection', better: 'lower', atMost: 0.5 },
    {
      name: 'slab',
      title: 'kernel slab of all ends',
      unit: 'KiB/connection',
      better: 'lower',
      plain: true,
    },
    { name: 'base', title: 'memory without any', unit: 'KiB', better: 'lower', plain: true },
  ],
  measure: async (run) => {
    const target = await startEchoTarget(run, { protocol: 'tcp' });
    const balancer = await run.startBalancer({ port: target.port });
    // What the first connections make a balancer allocate once is not theirs.
    await run.generate(balancer, 'connect_storm', { concurrency: 8, 'duration-ms': 100 });
    const pids = balancer.pid === 0 ? [] : processTree(balancer.pid);
    const before = { user: memoryKib(pids), slab: slabKib() };
    const crowd = await openCrowd(run, balancer, idleConnections);
    const after = { user: memoryKib(pids), slab: slabKib() };
    await crowd.close();
    const accepted = (await target.counted())('accepted');
    if (accepted < idleConnections) throw new BrokenMeasurement(`only ${accepted} connections`);
    return {
      values: {
        user: (after.user - before.user) / idleConnections,
        slab: (after.slab - before.slab) / idleConnections,
        base: before.user,
      },
      usage: null,
      counts: [],
      marks: [],
    };
  },
};

/** @type {import('./row.mjs').Row} */
const storm = {
  name: 'connect-storm',
  group: 'idle',
  title: `connect storm while ${crowdDuringStorm} are idle`,
  protocol: 'tcp',
  tools: [],
  secondsEach: 2,
  metrics: [
    { name: 'rate', title: 'connections', unit: '/s', better: 'higher' },
    cpuMetric({ unit: 'us/connection' }),
    { name: 'p99', title: 'p99', unit: 'us', better: 'lower' },
  ],
  measure: async (run) => {
    const target = await startEchoTarget(run, { protocol: 'tcp' });
    const balancer = await run.startBalancer({ port: target.port });
    const crowd = await openCrowd(run, balancer, crowdDuringStorm);
    const { figures, usage, marks } = await run.generate(balancer, 'connect_storm', {
      concurrency: 64,
      'duration-ms': run.durationMs,
    });
    await crowd.close();
    const accepted = (await target.counted())('accepted') - crowdDuringStorm;
    return {
      values: {
        rate: figures('completed') / figures('seconds'),
        cpu: microsecondsEach(usage.coreSeconds, figures('completed')),
        p99: figures('p99_us'),
      },
      usage,
      counts: [
        {
          unit: 'connections',
          client: figures('completed'),
          target: accepted,
          slack: 64 + figures('failed'),
        },
      ],
      marks: figures('ports_exhausted') > 0 ? [...marks, 'ports exhausted'] : marks,
    };
  },
};

export const idleRows = [memory, storm];
