// Clients that come and go at once, and more clients than there are descriptors (faults 4 and 15).
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectAtRest, restOf } from '../support/at-rest.js';
import { startEchoProcess } from '../support/echo-process.js';
import { workerCpuSeconds } from '../support/process-meter.js';
import { drawFrom, testSeed } from '../support/seed.js';
import { configHead, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

/** Runs `job` `count` times, `lanes` at once. */
async function inLanes(count: number, lanes: number, job: () => Promise<void>): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await job();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

describe('a storm of connections that are reset', () => {
  it('leaves nothing behind, at sluice or at the target', async () => {
    const draw = drawFrom(testSeed());
    const count = 4000;
    const target = await startEchoProcess();
    const sluice = await startSluice(`admin: { listen: "127.0.0.1:0" }
log: { format: json, level: info }
listeners: { in: { bind: "127.0.0.1:0", pool: out } }
pools: { out: { targets: ["127.0.0.1:${target.port}"], health: none } }`);
    const before = await restOf(sluice);
    const { port } = await sluice.address('in');
    const storm = async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.on('error', () => undefined);
      const way = draw(4);
      socket.once('connect', () => {
        // Before the target is reached, with bytes under way, after the greeting, or by FIN.
        if (way === 1) socket.write('some bytes that nobody will read');
        if (way === 2) socket.once('data', () => socket.resetAndDestroy());
        else if (way === 3) socket.resume().end();
        else socket.resetAndDestroy();
      });
      await closed;
    };
    await inLanes(count, 200, storm);
    const { listeners, pools } = await expectAtRest(sluice, before, { timeoutMs: 20_000 });
    // A client that resets while it waits in the backlog may never be accepted.
    const opened = listeners[0]?.totals.connections_opened ?? 0;
    expect(opened).toBeGreaterThan(count / 2);
    expect(opened).toBeLessThanOrEqual(count);
    const reasons = Object.values(listeners[0]?.closed ?? {});
    expect(reasons.reduce((sum, ended) => sum + ended, 0)).toBe(opened);
    expect(listeners[0]?.closed.client_reset).toBeGreaterThan(count / 4);
    expect(pools[0]?.targets[0]?.totals.connections_opened).toBeLessThanOrEqual(opened);
    // The target's own sockets are gone too: it can still be reached, and echoes.
    const socket = connect({ port, host: '127.0.0.1' });
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(String(data)).toBe('echo\n');
    socket.destroy();
    await expectAtRest(sluice, before);
  });
});

interface Client {
  readonly socket: Socket;
  greeted: boolean;
  gone: boolean;
}

function clientOf(port: number): Client {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const client: Client = { socket, greeted: false, gone: false };
  socket.on('error', () => undefined);
  socket.on('close', () => {
    client.gone = true;
  });
  socket.once('data', () => {
    client.greeted = true;
  });
  onTestFinished(() => {
    socket.destroy();
  });
  return client;
}

const withDescriptors = (count: number) => ['sh', '-c', `ulimit -n ${count}; exec "$@"`, 'sh'];

async function echoes({ socket }: Client): Promise<boolean> {
  socket.write('still here');
  const [data] = (await once(socket, 'data')) as [Buffer];
  return String(data) === 'still here';
}

describe('too few descriptors', () => {
  it('pause accepting, cost no CPU, and everybody is served once some are free', async () => {
    const target = await startEchoProcess();
    const sluice = await startSluice(
      `${configHead}
engine: { workers: 1, max_connections: 4096 }
listeners: { in: { bind: "127.0.0.1:0", pool: out } }
pools: { out: { targets: ["127.0.0.1:${target.port}"], health: none } }`,
      { wrapper: withDescriptors(128) },
    );
    const { port } = await sluice.address('in');
    const before = await restOf(sluice);
    const clients = Array.from({ length: 400 }, () => clientOf(port));
    await sluice.event('accept_paused');
    const served = () => clients.filter(({ greeted, gone }) => greeted && !gone);
    const gone = () => clients.filter((client) => client.gone);
    await waitFor('the first clients', () => served().length > 20);

    const [startCpuS, endMs] = [workerCpuSeconds(sluice.pid), performance.now() + 2000];
    await waitFor('two seconds', () => performance.now() >= endMs, { timeoutMs: 3000 });
    expect(workerCpuSeconds(sluice.pid) - startCpuS).toBeLessThan(0.1 * 2);
    expect(served().length).toBeLessThan(64);
    for (const client of served()) expect(await echoes(client)).toBe(true);
    // One is told at once, by the reserve; the others wait in the backlog.
    expect(gone().length).toBeLessThan(10);

    // Each that leaves makes room for one that waits, until all have had their turn.
    await waitFor(
      'everybody to be served',
      () => {
        for (const { socket } of served()) socket.destroy();
        return clients.every((client) => client.gone);
      },
      { timeoutMs: 30_000 },
    );
    const unserved = clients.filter(({ greeted }) => !greeted).length;
    const status = await expectAtRest(sluice, before, { timeoutMs: 20_000 });
    expect(status.workers[0]?.totals.accept_paused).toBeGreaterThanOrEqual(1);
    const paused = sluice.log.filter(({ event }) => event === 'accept_paused');
    expect(paused).toHaveLength(status.workers[0]?.totals.accept_paused ?? 0);
    expect(unserved).toBe(status.listeners[0]?.closed.local_error);
    // Each episode tells one by the reserve, and one more may be half a connection.
    expect(unserved).toBeLessThanOrEqual(2 * paused.length);
    expect(paused.length).toBeLessThan(10);
    const late = clientOf(port);
    await waitFor('a late client', () => late.greeted);
  });

  it('leave the admin API its share when sluice chooses the bound itself', async () => {
    const target = await startEchoProcess();
    const sluice = await startSluice(
      `${configHead}
engine: { workers: 1 }
listeners: { in: { bind: "127.0.0.1:0", pool: out } }
pools: { out: { targets: ["127.0.0.1:${target.port}"], health: none } }`,
      { wrapper: withDescriptors(128) },
    );
    const { port } = await sluice.address('in');
    const before = await restOf(sluice);
    const clients = Array.from({ length: 300 }, () => clientOf(port));
    // Half of the descriptors, two for each connection.
    const bound = 32;
    await waitFor('all to be answered', async () => {
      const { listeners } = await sluice.status();
      return listeners[0]?.closed.limit === clients.length - bound;
    });
    await waitFor('the greetings', () => clients.filter(({ greeted }) => greeted).length === bound);
    expect((await sluice.admin('/healthz')).status).toBe(200);
    const { listeners, workers } = await sluice.status();
    expect(listeners[0]?.active).toBe(bound);
    expect(workers[0]?.totals.accept_paused).toBe(0);
    for (const client of clients.filter(({ greeted }) => greeted)) {
      expect(await echoes(client)).toBe(true);
      client.socket.destroy();
    }
    await expectAtRest(sluice, before);
  });
});
