// A frozen control plane: 10 s of busy loop in JavaScript under load must neither stop nor slow
// what the workers forward (pitfall 14).
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { startTcpEcho } from '../support/echo-target.js';
import { configHead, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const blockMs = 10_000;
const blocker = fileURLToPath(new URL('../support/block-event-loop.cjs', import.meta.url));

interface Phase {
  readonly answers: number;
  readonly slowestMs: number;
}

/** Echoes one message at a time per lane, until told to stop; every fourth lane connects anew. */
class Load {
  failures: string[] = [];
  #answers = 0;
  #slowestMs = 0;
  #stopped = false;
  readonly #lanes: Promise<void>[];

  constructor(port: number, lanes: number) {
    this.#lanes = Array.from({ length: lanes }, (_, lane) => this.#run(port, lane % 4 === 0));
  }

  /** What happened since the last call. */
  take(): Phase {
    const phase = { answers: this.#answers, slowestMs: this.#slowestMs };
    this.#answers = 0;
    this.#slowestMs = 0;
    return phase;
  }

  async close(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
  }

  async #run(port: number, anew: boolean): Promise<void> {
    let socket = connect({ port, host: '127.0.0.1', noDelay: true });
    while (!this.#stopped) {
      const startedMs = performance.now();
      try {
        if (anew) {
          socket.destroy();
          socket = connect({ port, host: '127.0.0.1', noDelay: true });
        }
        socket.write('sixteen bytes ok');
        await once(socket, 'data');
        this.#answers++;
        this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedMs);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
    socket.destroy();
  }
}

it('forwards on while the event loop is blocked for 10 s', async () => {
  const target = await startTcpEcho();
  onTestFinished(() => target.close());
  const sluice = await startSluice(
    `${configHead}
listeners: { echo: { bind: "127.0.0.1:0", pool: echo, access_log: true } }
pools: { echo: { targets: ["127.0.0.1:${target.port}"], health: none } }`,
    { nodeArgs: ['--require', blocker], env: { BLOCK_MS: String(blockMs) } },
  );
  const { port } = await sluice.address('echo');
  const load = new Load(port, 16);
  const until = (answers: number) =>
    waitFor(`${answers} answers`, () => load.take().answers >= answers || null);
  await until(1);

  const beforeMs = performance.now();
  load.take();
  sluice.signal('SIGUSR2');
  await waitFor('the block', () => sluice.stderr().includes('blocking'));
  await waitFor('its end', () => sluice.stderr().includes('blocked'), { timeoutMs: 30_000 });
  const blocked = load.take();
  const blockedS = (performance.now() - beforeMs) / 1000;

  // As long a time without the block, on the same machine and right after.
  const freeEndMs = performance.now() + blockMs;
  await waitFor('as much free time', () => performance.now() >= freeEndMs, {
    timeoutMs: 2 * blockMs,
  });
  const free = load.take();
  await load.close();

  expect(load.failures).toEqual([]);
  expect(blockedS).toBeGreaterThanOrEqual(blockMs / 1000);
  // The busy loop takes one of two cores away from the load itself; a stall would show as seconds.
  expect(blocked.slowestMs).toBeLessThan(1000);
  expect(blocked.answers).toBeGreaterThan(free.answers / 4);
  // Every connection left a record, or a counted drop: the ring holds 4096 per worker.
  await waitFor('all access records', async () => {
    const { eventsDropped, listeners } = await sluice.status();
    const records = sluice.log.filter(({ event }) => event === 'connection_closed').length;
    return records > 0 && records + eventsDropped === listeners[0]?.totals.connections_closed;
  });
});
