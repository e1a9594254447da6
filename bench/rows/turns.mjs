// Turns: 200 pooled connections of which 20 are busy, two fast targets and a slow one that serves
// one request at a time. What clients see with least connections by connections and by turns.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseFigures } from '../run.mjs';
import { BrokenMeasurement } from '../sanity.mjs';
import { pathOf } from '../tools.mjs';

const scriptOf = (/** @type {string} */ path) =>
  fileURLToPath(new URL(`../${path}`, import.meta.url));

const pool = { idle: 180, busy: 20, lifetime: 20 };

/**
 * @typedef {object} Targets
 * @property {number} port
 * @property {string} request
 * @property {() => Promise<number>} answered
 */

/**
 * Own targets: the slow one takes 20 ms.
 * @param {import('../run.mjs').Run} run @param {readonly string[]} addresses
 * @returns {Promise<Targets>}
 */
async function startScripted(run, addresses) {
  const port = Number((await run.targetListen()).split(':')[1]);
  const services = addresses.map((address, index) => `${address}=${index === 0 ? 20 : 0}`);
  const script = scriptOf('targets/serial_target.mjs');
  const command = [process.execPath, script, String(port), ...services];
  const target = run.programs.start('target', command);
  await target.bound('tcp', port);
  return {
    port,
    request: 'ask\r\n',
    answered: async () => parseFigures(await target.stop())('answered'),
  };
}

/** The same request on all: how long it takes is in the data. Some 4 ms with this many. */
const slowSpins = 400_000;
const spin =
  "EVAL \"local n = tonumber(redis.call('get', KEYS[1])) local x = 0 " +
  'for i = 1, n do x = x + i end return n" 1 spins\r\n';

/**
 * Redis three times; one of them spins in a script.
 * @param {import('../run.mjs').Run} run @param {readonly string[]} addresses
 * @returns {Promise<Targets>}
 */
async function startRedis(run, addresses) {
  const port = Number((await run.targetListen()).split(':')[1]);
  const sockets = await Promise.all(
    addresses.map(async (address, index) => {
      const folder = run.folder();
      const socket = `${folder}/redis.sock`;
      const redis = run.programs.start('target', [
        ...[pathOf('redis-server'), '--bind', address, '--port', String(port)],
        ...['--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', folder],
        ...['--protected-mode', 'no'],
      ]);
      await redis.bound('tcp', port);
      const spins = String(index === 0 ? slowSpins : 0);
      execFileSync(pathOf('redis-cli'), ['-s', socket, 'set', 'spins', spins]);
      return socket;
    }),
  );
  const calls = (/** @type {string} */ socket) => {
    const info = execFileSync(pathOf('redis-cli'), ['-s', socket, 'info', 'commandstats']);
    return Number(/^cmdstat_eval:calls=(\d+)/m.exec(info.toString())?.[1] ?? 0);
  };
  return {
    port,
    request: spin,
    answered: async () => sockets.reduce((sum, socket) => sum + calls(socket), 0),
  };
}

const kinds = {
  scripted: { title: 'scripted', start: startScripted, thinkMs: 20, tools: [] },
  redis: { title: 'Redis', start: startRedis, thinkMs: 10, tools: ['redis-server'] },
};

/**
 * @param {keyof typeof kinds} kind @param {'connections' | 'turns'} load
 * @returns {import('./row.mjs').Row}
 */
function row(kind, load) {
  const { title, start, thinkMs, tools } = kinds[kind];
  const base = `turns-${kind}-by-connections`;
  return {
    name: `turns-${kind}-by-${load}`,
    group: 'turns',
    title: `${title}: 200 pooled connections, one slow target, load: ${load}`,
    protocol: 'tcp',
    tools,
    only: ['sluice'],
    secondsEach: 2,
    metrics: [
      { name: 'p99', title: 'p99', unit: 'us', better: 'lower' },
      { name: 'p50', title: 'p50', unit: 'us', better: 'lower' },
      { name: 'rate', title: 'requests', unit: '/s', better: 'higher' },
    ],
    ...(load === 'turns' ? { growth: { base, metric: 'p99', atMost: 0.7 } } : {}),
    measure: async (run) => {
      const addresses = run.topology.manyTargets(3);
      const targets = await start(run, addresses);
      const balancer = await run.startBalancer({
        port: targets.port,
        targetCount: addresses.length,
        policy: { name: 'least_connections', load },
      });
      const options = {
        connect: balancer.address,
        ...{ idle: pool.idle, busy: pool.busy, lifetime: pool.lifetime },
        ...{ think_ms: thinkMs, duration_ms: run.durationMs, request: targets.request },
      };
      const result = await run.load(balancer, [
        process.execPath,
        scriptOf('generators/client_pool.mjs'),
        JSON.stringify(options),
      ]);
      const figures = parseFigures(result.output);
      if (figures('requests') === 0) throw new BrokenMeasurement('no request was answered');
      return {
        values: {
          p99: figures('p99_us'),
          p50: figures('p50_us'),
          rate: figures('requests') / run.seconds,
        },
        usage: result.usage,
        counts: [
          {
            unit: 'requests',
            client: figures('requests'),
            target: await targets.answered(),
            slack: pool.busy,
          },
        ],
        marks: result.marks,
      };
    },
  };
}

export const turnsRows = /** @type {const} */ (['scripted', 'redis']).flatMap((kind) => [
  row(kind, 'connections'),
  row(kind, 'turns'),
]);
