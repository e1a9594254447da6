// Readers that are slow or never read: the worker neither stalls nor spins, memory stays bounded,
// others go on (pitfalls 1 and 15).
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectAtRest, restOf } from '../support/at-rest.js';
import { sendStream, summaryOf } from '../support/byte-stream.js';
import { startEchoProcess } from '../support/echo-process.js';
import { makeNetwork, networkPossible } from '../support/network.js';
import { residentBytes, workerCpuSeconds } from '../support/process-meter.js';
import { temporaryFolder } from '../support/real-server.js';
import { drawFrom, testSeed } from '../support/seed.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';
import { startZeroWindowClients } from '../support/zero-window.js';

const MiB = 1024 * 1024;

async function loops(sluice: SluiceProcess): Promise<number> {
  const { workers } = await sluice.status();
  return workers.reduce((total, { totals }) => total + (totals.loops ?? 0), 0);
}

/** Waits until a value has not changed for a while, and returns it. */
async function settled(read: () => Promise<number>): Promise<number> {
  let last = await read();
  let sinceMs = performance.now();
  return waitFor(
    'the value to settle',
    async () => {
      const now = await read();
      if (now !== last) sinceMs = performance.now();
      last = now;
      return performance.now() - sinceMs > 500 ? { value: now } : null;
    },
    { timeoutMs: 20_000 },
  ).then(({ value }) => value);
}

/** How much `read` grows while `ms` pass. */
async function growth(ms: number, read: () => Promise<number>): Promise<number> {
  const [before, endMs] = [await read(), performance.now() + ms];
  await waitFor('the time', () => performance.now() >= endMs, { timeoutMs: ms + 1000 });
  return (await read()) - before;
}

/** A target that reads nothing until told how fast. */
async function slowTarget() {
  const hash = createHash('sha256');
  let bytes = 0;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const connected = once(server, 'connection').then(([socket]) => socket as Socket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  async function readAll(bytesPerSecond: number) {
    const socket = await connected;
    const startMs = performance.now();
    socket.on('data', (data) => {
      hash.update(data);
      bytes += data.length;
      const aheadMs = (bytes / bytesPerSecond) * 1000 - (performance.now() - startMs);
      if (aheadMs <= 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), aheadMs);
    });
    socket.resume();
    await once(socket, 'end');
    socket.end();
    return { bytes, sha256: hash.digest('hex') };
  }
  return { port: (server.address() as AddressInfo).port, readAll };
}

describe('a target that reads slowly', () => {
  it('gets every byte, and the worker sleeps meanwhile', async () => {
    const seed = testSeed();
    const bytes = 16 * MiB;
    const target = await slowTarget();
    const sluice = await startSluice(`${configHead}
engine: { workers: 1 }
listeners: { in: { bind: "127.0.0.1:0", pool: out } }
pools: { out: { targets: ["127.0.0.1:${target.port}"], health: none } }`);
    const before = await restOf(sluice);
    const { port } = await sluice.address('in');
    const client = connect({ port, host: '127.0.0.1' });
    await once(client, 'connect');
    const closed = once(client, 'close');
    client.resume();
    const pace = { draw: drawFrom(seed), stallOneIn: 0, stallMsMax: 0 };
    const sent = sendStream(client, seed, bytes, pace).then(() => client.end());

    // Nobody reads: everything fills up, and what sluice holds costs no turn of its loop.
    const held = await settled(async () => {
      return (await sluice.status()).listeners[0]?.totals.to_target_bytes ?? 0;
    });
    expect(held).toBeLessThan(bytes);
    const { stashes_in_use, pipes_in_use } = (await sluice.status()).workers[0]?.totals ?? {};
    expect((stashes_in_use ?? 0) + (pipes_in_use ?? 0)).toBeGreaterThan(0);
    expect(await growth(3000, () => loops(sluice))).toBeLessThanOrEqual(3);

    const [startMs, startCpuS] = [performance.now(), workerCpuSeconds(sluice.pid)];
    expect(await target.readAll(2 * MiB)).toEqual(summaryOf(seed, bytes));
    const seconds = (performance.now() - startMs) / 1000;
    const usedS = workerCpuSeconds(sluice.pid) - startCpuS;
    process.stderr.write(`${seconds.toFixed(1)} s, of which the worker used ${usedS.toFixed(3)}\n`);
    expect(seconds).toBeGreaterThan(5);
    expect(usedS).toBeLessThan(0.2 * seconds);
    await Promise.all([sent, closed]);
    const { listeners } = await expectAtRest(sluice, before);
    expect(listeners[0]?.totals.to_target_bytes).toBe(bytes);
  });
});

describe.runIf(networkPossible())('clients that never read', () => {
  it('pin bounded memory, disturb nobody, and are reaped by the idle timeout', async () => {
    const count = 4000;
    const network = makeNetwork();
    const folder = await temporaryFolder();
    // Small kernel buffers, as on a machine that serves many: the test is about sluice's own.
    for (const name of ['tcp_rmem', 'tcp_wmem']) {
      network.on('lb', 'sysctl', '-qw', `net.ipv4.${name}=4096 16384 32768`);
    }
    const echo = await startEchoProcess({ name: 'echo', wrapper: network.lb });
    const crowd = await startZeroWindowClients({ wrapper: network.lb });
    const sluice = await startSluice(
      `admin: { listen: "unix:${join(folder, 'admin.sock')}" }
log: { format: json, level: info }
engine: { workers: 1 }
listeners:
  endless: { bind: "127.0.0.1:7001", pool: endless, timeouts: { idle: 4s } }
  echo: { bind: "unix:${join(folder, 'echo.sock')}", pool: echo }
pools:
  endless: { targets: ["127.0.0.1:${crowd.targetPort}"], health: none }
  echo: { targets: ["127.0.0.1:${echo.port}"], health: none }`,
      { wrapper: network.lb },
    );
    const before = await restOf(sluice);
    const beforeBytes = residentBytes(sluice.pid);
    const bystander = connect({ path: join(folder, 'echo.sock') });
    await once(bystander, 'data');
    let slowestMs = 0;
    let answers = 0;
    let largestBytes = 0;
    const exchange = async () => {
      const startMs = performance.now();
      bystander.write('sixteen bytes ok');
      await once(bystander, 'data');
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
      answers++;
      largestBytes = Math.max(largestBytes, residentBytes(sluice.pid));
    };
    const endless = async () =>
      (await sluice.status()).listeners.find(({ name }) => name === 'endless');

    crowd.connect(7001, count);
    await waitFor(
      'all to be reaped',
      async () => {
        await exchange();
        const { closed, totals } = (await endless()) ?? {};
        return closed?.idle_timeout === count && totals?.connections_opened === count;
      },
      { timeoutMs: 60_000 },
    );
    bystander.destroy();
    const status = await expectAtRest(sluice, before);
    const stashes = 1024 * 64 * 1024;
    process.stderr.write(
      `memory grew by ${Math.round((largestBytes - beforeBytes) / MiB)} MiB; ` +
        `${answers} answers, the slowest after ${Math.round(slowestMs)} ms\n`,
    );
    // Every stash there is, the connections themselves, and the control plane's garbage.
    expect(largestBytes - beforeBytes).toBeLessThan(stashes + 64 * MiB);
    expect(slowestMs).toBeLessThan(1500);
    expect(answers).toBeGreaterThan(20);
    expect(status.workers[0]?.totals.accept_paused).toBe(0);
    // They got something before they stopped.
    expect(status.listeners[0]?.totals.to_client_bytes).toBeGreaterThan(count * 1000);
  });
});
