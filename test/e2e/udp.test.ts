// UDP through a real process: a flood of clients, the largest datagrams, and bulk traffic over a
// network (pitfall 13).
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectAtRest, restOf } from '../support/at-rest.js';
import { byteSource } from '../support/byte-stream.js';
import { startUdpEcho } from '../support/echo-target.js';
import { makeNetwork, networkPossible } from '../support/network.js';
import { freePort, runProgram, temporaryFolder } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

async function clientSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.on('error', () => undefined);
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => {
    socket.close();
  });
  return socket;
}

async function echoes(socket: Socket, port: number, payload: Buffer): Promise<boolean> {
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(2000) });
  socket.send(payload, port, '127.0.0.1');
  const [message] = (await answer) as [Buffer];
  return message.equals(payload);
}

describe('a flood of sessions', () => {
  it.each([
    ['that the target answers', true],
    ['that the target ignores', false],
  ])('%s is capped, locks out no real client, and is counted', async (_name, answered) => {
    const target = await startUdpEcho({ answers: (message) => answered || message[0] !== 0 });
    onTestFinished(() => target.close());
    const [sessionsMax, flood] = [256, 3000];
    const sluice = await startSluice(`${configHead}
engine: { workers: 1 }
listeners:
  in:
    { bind: "127.0.0.1:0", protocol: udp, pool: out, timeouts: { idle: 1s },
      udp: { max_sessions: ${sessionsMax} } }
pools: { out: { targets: ["127.0.0.1:${target.port}"], health: none } }`);
    const before = await restOf(sluice);
    const { port } = await sluice.address('in');
    const listener = async () => (await sluice.status()).listeners[0];
    const real = await clientSocket();
    let exchanges = 0;
    const exchange = async () => {
      expect(await echoes(real, port, Buffer.from(`real ${exchanges}`))).toBe(true);
      exchanges++;
    };
    // Two datagrams prove a client to be real: from then on the flood cannot take its place.
    await exchange();
    await exchange();
    const handled = async () => {
      const { totals = {} } = (await listener()) ?? {};
      return (totals.to_target_datagrams ?? 0) + (totals.datagrams_dropped_sessions_full ?? 0);
    };
    const spoofed = await Promise.all(Array.from({ length: flood }, clientSocket));
    for (let sent = 0; sent < flood; ) {
      for (const socket of spoofed.slice(sent, sent + 100)) {
        socket.send(Buffer.alloc(12), port, '127.0.0.1');
        sent++;
      }
      // The kernel's buffers hold a batch, so that nothing is lost where sluice cannot count it.
      await waitFor('the batch', async () => (await handled()) === sent + exchanges);
      expect((await listener())?.active).toBeLessThanOrEqual(sessionsMax);
      await exchange();
    }
    const { listeners } = await expectAtRest(sluice, before);
    const { totals = {}, closed = {} } = listeners[0] ?? {};
    const dropped = totals.datagrams_dropped_sessions_full ?? 0;
    expect((totals.to_target_datagrams ?? 0) + dropped).toBe(flood + exchanges);
    expect(totals.sessions_opened).toBe(flood + 1 - dropped);
    // Those that lost their place to a later one, and those that were left when the flood ended.
    expect((closed.limit ?? 0) + (closed.idle_timeout ?? 0)).toBe(totals.sessions_opened);
    // An answer proves a client to be real, as far as a balancer knows: who has a place keeps it.
    // The others lose theirs to whoever comes later, and no datagram is lost.
    if (answered) expect(dropped).toBeGreaterThan(0);
    else
      expect({ dropped, evicted: closed.limit }).toEqual({
        dropped: 0,
        evicted: expect.anything(),
      });
  });
});

describe('datagrams', () => {
  it.each([
    ['one by one', 'false'],
    ['in bulk', 'true'],
  ])('of every size up to 65507 bytes pass whole, %s', async (_name, bulk) => {
    const target = await startUdpEcho();
    onTestFinished(() => target.close());
    const sluice = await startSluice(`${configHead}
listeners:
  in: { bind: "127.0.0.1:0", protocol: udp, pool: out, bulk: ${bulk}, timeouts: { idle: 500ms } }
pools: { out: { targets: ["127.0.0.1:${target.port}"], health: none } }`);
    const before = await restOf(sluice);
    const { port } = await sluice.address('in');
    const client = await clientSocket();
    for (const bytes of [0, 1, 1471, 1472, 1473, 9000, 65_506, 65_507]) {
      expect(await echoes(client, port, byteSource(bytes)(bytes))).toBe(true);
    }
    const { listeners } = await expectAtRest(sluice, before);
    expect(listeners[0]?.totals).toMatchObject({ to_target_datagrams: 8, to_client_datagrams: 8 });
  });
});

const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));

async function startEchoOn(wrapper: readonly string[], host: string, port: number): Promise<void> {
  const [file = '', ...args] = [
    ...wrapper,
    ...[process.execPath, support('udp-echo-process.mjs'), host, String(port)],
  ];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
  await once(createInterface({ input: child.stdout }), 'line');
}

describe.runIf(networkPossible() && requireTools('python3'))('bulk traffic over a network', () => {
  // With the pair's segmentation at work a burst crosses it in one piece; else in many. Checksum
  // offload is switched off by test/native/udp, which needs no tool for it.
  it.each([
    ['joined', []],
    ['cut by the sender', ['gso_max_segs', '1']],
  ])('loses nothing when bursts arrive %s', async (_name, linkOptions) => {
    const network = makeNetwork();
    const folder = await temporaryFolder();
    const port = await freePort();
    const address = network.targetAddresses[0] ?? '';
    await startEchoOn(network.targets, address, port);
    if (linkOptions.length > 0) {
      for (const host of ['lb', 'targets'] as const) {
        const [link = ''] = /\bv[lt]\d+p\d+/.exec(network.on(host, 'ip', 'link', 'show')) ?? [];
        network.on(host, 'ip', 'link', 'set', 'dev', link, ...linkOptions);
      }
    }
    const sluice = await startSluice(
      `admin: { listen: "unix:${join(folder, 'admin.sock')}" }
log: { format: json, level: debug }
listeners:
  in: { bind: "*:${port}", protocol: udp, pool: out, bulk: true, timeouts: { idle: 500ms } }
pools: { out: { targets: ["${address}:${port}"], health: none } }`,
      { wrapper: network.lb },
    );
    const before = await restOf(sluice);
    const [bursts, datagrams, bytes] = [100, 40, 1400];
    const [file = '', ...args] = [
      ...[...network.targets, 'python3', support('udp-burst.py'), network.lbAddress],
      ...[port, bursts, datagrams, bytes].map(String),
    ];
    const count = bursts * datagrams;
    expect((await runProgram(file, args)).trim()).toBe(`${count} ${count}`);
    const { listeners } = await expectAtRest(sluice, before);
    expect(listeners[0]?.totals).toMatchObject({
      to_target_datagrams: count,
      to_client_datagrams: count,
      to_target_bytes: count * bytes,
      to_client_bytes: count * bytes,
    });
  });
});
