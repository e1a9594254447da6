// What a connection carries through a real process, byte-exact: both directions at once with
// stalls, half-closed from either side, and ended by a reset (faults 1, 2 and 3).
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectAtRest, restOf } from '../support/at-rest.js';
import {
  byteSource,
  receiveStream,
  type StreamSummary,
  sendStream,
  summaryOf,
} from '../support/byte-stream.js';
import { startEchoProcess } from '../support/echo-process.js';
import { makeNetwork, networkPossible } from '../support/network.js';
import { temporaryFolder } from '../support/real-server.js';
import { connectScripted, playScript, startScriptedPeer } from '../support/scripted-peer.js';
import { type Draw, drawFrom, testSeed } from '../support/seed.js';
import { configHead, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const MiB = 1024 * 1024;

/** What one connection carries; the first bytes of a client tell its target. */
interface Exchange {
  readonly toTargetSeed: number;
  readonly toTargetBytes: number;
  readonly toClientSeed: number;
  readonly toClientBytes: number;
}

const headBytes = 16;

function encode(exchange: Exchange): Buffer {
  const { toTargetSeed, toTargetBytes, toClientSeed, toClientBytes } = exchange;
  const head = Buffer.alloc(headBytes);
  for (const [index, value] of [
    toTargetSeed,
    toTargetBytes,
    toClientSeed,
    toClientBytes,
  ].entries()) {
    head.writeUInt32LE(value, index * 4);
  }
  return head;
}

function decode(head: Buffer): Exchange {
  const [toTargetSeed = 0, toTargetBytes = 0, toClientSeed = 0, toClientBytes = 0] = [
    0, 4, 8, 12,
  ].map((at) => head.readUInt32LE(at));
  return { toTargetSeed, toTargetBytes, toClientSeed, toClientBytes };
}

async function readHead(socket: Socket): Promise<Exchange> {
  for (;;) {
    const head = socket.read(headBytes) as Buffer | null;
    if (head !== null) return decode(head);
    await once(socket, 'readable');
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function bothWays(socket: Socket, sent: () => Promise<unknown>, draw: Draw) {
  const pace = { draw, stallOneIn: 40, stallMsMax: 30 };
  const [received] = await Promise.all([
    receiveStream(socket, pace),
    sent().then(() => socket.end()),
  ]);
  return received;
}

/** A target that sends its stream while it reads the client's; what it read, by toTargetSeed. */
async function exchangeTarget(seed: number) {
  const received = new Map<number, StreamSummary>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const serve = async () => {
      const { toTargetSeed, toClientSeed, toClientBytes } = await readHead(socket);
      const draw = drawFrom(seed ^ toClientSeed);
      const pace = { draw, stallOneIn: 40, stallMsMax: 30 };
      const send = () => sendStream(socket, toClientSeed, toClientBytes, pace);
      received.set(toTargetSeed, await bothWays(socket, send, drawFrom(seed ^ toTargetSeed)));
    };
    serve().catch(() => socket.destroy());
  });
  return { port: await listening(server), received };
}

describe('random streams', () => {
  it.each([
    ['as configured by default', ''],
    ['with a small buffer, which streams early', 'engine: { buffer: 8KiB }'],
    ['without splice', 'engine: { splice: off }'],
  ])('both ways at once arrive byte-exact, %s', async (_name, engine) => {
    const seed = testSeed();
    const draw = drawFrom(seed);
    const target = await exchangeTarget(seed);
    const sluice = await startSluice(`${configHead}${engine}
listeners: { in: { bind: "127.0.0.1:0", pool: out } }
pools: { out: { targets: ["127.0.0.1:${target.port}"], health: none } }`);
    const { port } = await sluice.address('in');
    const before = await restOf(sluice);
    const size = () => [0, 1, draw(1000), draw(100_000), draw(MiB), draw(8 * MiB)][draw(6)] ?? 0;
    const exchanges = Array.from({ length: 24 }, (_, index) => ({
      toTargetSeed: 2 * index,
      toTargetBytes: size(),
      toClientSeed: 2 * index + 1,
      toClientBytes: size(),
    }));
    const run = async (exchange: Exchange) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
      socket.write(encode(exchange));
      const { toTargetSeed, toTargetBytes, toClientSeed, toClientBytes } = exchange;
      const pace = { draw, stallOneIn: 40, stallMsMax: 30 };
      const send = () => sendStream(socket, toTargetSeed, toTargetBytes, pace);
      const received = await bothWays(socket, send, draw);
      expect(received).toEqual(summaryOf(toClientSeed, toClientBytes));
    };
    await Promise.all(exchanges.map(run));
    const sum = (of: (exchange: Exchange) => number) =>
      exchanges.reduce((total, exchange) => total + of(exchange), 0);
    await waitFor('the targets to end', () => target.received.size === exchanges.length);
    for (const { toTargetSeed, toTargetBytes } of exchanges) {
      const expected = summaryOf(toTargetSeed, toTargetBytes);
      expect(target.received.get(toTargetSeed)).toEqual(expected);
    }
    const { listeners, workers } = await expectAtRest(sluice, before);
    expect(listeners[0]?.totals).toMatchObject({
      to_target_bytes: sum(({ toTargetBytes }) => toTargetBytes + headBytes),
      to_client_bytes: sum(({ toClientBytes }) => toClientBytes),
    });
    const spliced = workers.reduce((total, { totals }) => total + (totals.spliced_bytes ?? 0), 0);
    if (engine.includes('off')) expect(spliced).toBe(0);
    if (engine.includes('buffer')) expect(spliced).toBeGreaterThan(0);
  });

  it.runIf(networkPossible())('arrive byte-exact through the smallest socket buffers', async () => {
    const seed = testSeed();
    const draw = drawFrom(seed);
    const network = makeNetwork();
    const folder = await temporaryFolder();
    for (const host of ['lb', 'targets'] as const) {
      network.on(host, 'sysctl', '-qw', 'net.ipv4.tcp_rmem=2304 4096 8192');
      network.on(host, 'sysctl', '-qw', 'net.ipv4.tcp_wmem=4096 4608 8192');
    }
    const address = network.targetAddresses[0] ?? '';
    await startEchoProcess({ host: address, port: 7000, name: 't', wrapper: network.targets });
    const sluice = await startSluice(
      `admin: { listen: "unix:${join(folder, 'admin.sock')}" }
log: { format: json, level: debug }
engine: { buffer: 4KiB }
listeners: { in: { bind: "unix:${join(folder, 'in.sock')}", pool: out } }
pools: { out: { targets: ["${address}:7000"], health: none } }`,
      { wrapper: network.lb },
    );
    const before = await restOf(sluice);
    const run = async (index: number) => {
      const bytes = draw(256 * 1024);
      const socket = connect({ path: join(folder, 'in.sock'), allowHalfOpen: true });
      await once(socket, 'connect');
      const pace = { draw, stallOneIn: 60, stallMsMax: 10 };
      const send = () => sendStream(socket, index, bytes, pace);
      expect(await bothWays(socket, send, draw)).toEqual(summaryOf(index, bytes, 't\n'));
    };
    await Promise.all(Array.from({ length: 12 }, (_, index) => run(index)));
    await expectAtRest(sluice, before);
  });
});

describe('a half-closed connection', () => {
  const bytes = 10 * MiB;
  const steady = { draw: drawFrom(1), stallOneIn: 0, stallMsMax: 0 };

  async function sluiceBefore(targetPort: number) {
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: out, access_log: true } }
pools: { out: { targets: ["127.0.0.1:${targetPort}"], health: none } }`);
    const before = await restOf(sluice);
    const { port } = await sluice.address('in');
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => {
      client.destroy();
    });
    await once(client, 'connect');
    return { sluice, before, client };
  }

  it('whose client sends no more gets a whole answer', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const answer = async () => {
        await receiveStream(socket, steady);
        await sendStream(socket, 7, bytes, steady);
        socket.end();
      };
      answer().catch(() => socket.destroy());
    });
    const { sluice, before, client } = await sluiceBefore(await listening(server));
    client.end('all of the request');
    expect(await receiveStream(client, steady)).toEqual(summaryOf(7, bytes));
    const record = { reason: 'client_closed', toTargetBytes: 18, toClientBytes: bytes };
    expect(await sluice.event('connection_closed')).toMatchObject(record);
    await expectAtRest(sluice, before);
  });

  it('whose target sends no more takes all that the client sends', async () => {
    let arrived: (received: Promise<StreamSummary>) => void;
    const received = new Promise<StreamSummary>((resolve) => {
      arrived = resolve;
    });
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.end('goodbye');
      const all = receiveStream(socket, steady);
      all.catch(() => socket.destroy());
      arrived(all);
    });
    const { sluice, before, client } = await sluiceBefore(await listening(server));
    expect((await receiveStream(client, steady)).bytes).toBe(7);
    await sendStream(client, 8, bytes, steady);
    client.end();
    expect(await received).toEqual(summaryOf(8, bytes));
    const record = { reason: 'target_closed', toTargetBytes: bytes, toClientBytes: 7 };
    expect(await sluice.event('connection_closed')).toMatchObject(record);
    await expectAtRest(sluice, before);
  });
});

/**
 * Reads to the end and tells whether that was a reset. libuv reports one that arrives together with
 * the last bytes as an end; a socket that was reset, unlike one that got a FIN, refuses to write.
 */
async function readToReset(socket: Socket): Promise<{ received: Buffer; reset: boolean }> {
  const { received, ended } = await playScript(socket, [{ readToEnd: true }]);
  if (ended === 'reset') return { received, reset: true };
  const error = await new Promise<Error | null | undefined>((resolve) => {
    socket.on('error', () => undefined);
    socket.write('x', resolve);
  });
  return { received, reset: error !== null && error !== undefined };
}

describe('a reset', () => {
  async function sluiceBefore(targetPort: number) {
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: out, access_log: true } }
pools: { out: { targets: ["127.0.0.1:${targetPort}"], health: none } }`);
    return { sluice, before: await restOf(sluice), port: (await sluice.address('in')).port };
  }

  // All of them fit the receiver's window: a target's kernel throws away what it has not sent.
  it.each([1, 5000, 48_000])('after %i bytes of a target comes after them', async (bytes) => {
    const target = await startScriptedPeer([
      { read: 1 },
      { write: byteSource(bytes)(bytes) },
      { reset: true },
    ]);
    onTestFinished(() => target.close());
    const { sluice, before, port } = await sluiceBefore(target.port);
    for (let round = 0; round < 20; round++) {
      const { socket } = await connectScripted(port);
      socket.write('?');
      const { received, reset } = await readToReset(socket);
      expect(received.equals(byteSource(bytes)(bytes))).toBe(true);
      expect(reset).toBe(true);
    }
    const { listeners, pools } = await expectAtRest(sluice, before);
    expect(listeners[0]?.closed).toMatchObject({ target_reset: 20 });
    expect(pools[0]?.targets[0]?.totals.resets).toBe(20);
  });

  it('of a client reaches the target as a reset, after the bytes before it', async () => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const atTarget = once(server, 'connection').then(([socket]) => readToReset(socket as Socket));
    const { sluice, before, port } = await sluiceBefore(await listening(server));
    const client = await connectScripted(port);
    await client.play([{ write: byteSource(3)(5000) }]);
    await waitFor('the bytes', async () => {
      const { listeners } = await sluice.status();
      return listeners[0]?.totals.to_target_bytes === 5000;
    });
    client.socket.resetAndDestroy();
    const { received, reset } = await atTarget;
    expect(received.equals(byteSource(3)(5000))).toBe(true);
    expect(reset).toBe(true);
    expect((await expectAtRest(sluice, before)).listeners[0]?.closed.client_reset).toBe(1);
  });
});
