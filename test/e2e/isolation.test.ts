// Targets that are killed in the middle of streams: no client ever sees a byte of another, each
// sees an end with a reason, and who has lost nothing yet is served by another target
// (pitfall 2, fault 5).
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { expectAtRest, restOf } from '../support/at-rest.js';
import { type EchoProcess, startEchoProcess } from '../support/echo-process.js';
import { type Draw, drawFrom, testSeed } from '../support/seed.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const greeting = 't\n';
const blockBytes = 64 * 1024;

/** A block in which every word names its client and its place. */
function blockOf(client: number): Buffer {
  const words = new Uint32Array(blockBytes / 4);
  for (let place = 0; place < words.length; place++) words[place] = (client << 14) | place;
  return Buffer.from(words.buffer);
}

/** Compares what an echo sends back, piece by piece, with what was sent. */
function echoChecker(block: Buffer) {
  let received = 0;
  let wrongAt: number | null = null;
  return {
    check(piece: Buffer) {
      let at = 0;
      for (; at < piece.length && received < greeting.length; at++, received++) {
        if (piece[at] !== greeting.charCodeAt(received)) wrongAt ??= received;
      }
      while (at < piece.length) {
        const place = (received - greeting.length) % blockBytes;
        const size = Math.min(piece.length - at, blockBytes - place);
        if (piece.compare(block, place, place + size, at, at + size) !== 0) wrongAt ??= received;
        at += size;
        received += size;
      }
    },
    received: () => received,
    wrongAt: () => wrongAt,
  };
}

interface Outcome {
  readonly complete: boolean;
  readonly wrongAt: number | null;
  readonly received: number;
}

/** Sends `blocks` blocks of this client's own and checks the echo of them. */
async function runClient(
  port: number,
  client: number,
  blocks: number,
  onBytes: (bytes: number) => void,
): Promise<Outcome> {
  const block = blockOf(client);
  const checker = echoChecker(block);
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.on('data', (piece: Buffer) => {
    checker.check(piece);
    onBytes(piece.length);
  });
  let left = blocks;
  const send = () => {
    while (left > 0 && !socket.destroyed) {
      left--;
      if (socket.write(block)) continue;
      socket.once('drain', send);
      return;
    }
    if (left === 0) socket.end();
  };
  send();
  await closed;
  const complete = checker.received() === greeting.length + blocks * blockBytes;
  return { complete, wrongAt: checker.wrongAt(), received: checker.received() };
}

async function startTargets(count: number): Promise<EchoProcess[]> {
  return Promise.all(Array.from({ length: count }, () => startEchoProcess({ name: 't' })));
}

async function kill(target: EchoProcess | undefined): Promise<void> {
  if (!target) return;
  const closed = once(target.process, 'close');
  target.process.kill('SIGKILL');
  await closed;
}

/** Kills targets, each after so many bytes as the seed says, and starts them anew. */
function killAtRandom(targets: EchoProcess[], draw: Draw) {
  // Half of them stay: a client that finds nobody says nothing about mixed streams.
  const downMax = targets.length / 2;
  const down = new Map<number, Promise<void>>();
  let passed = 0;
  let nextAt = draw(8 << 20);
  let kills = 0;
  async function killOne(index: number): Promise<void> {
    const target = targets[index];
    await kill(target);
    kills++;
    targets[index] = await startEchoProcess({ name: 't', port: target?.port ?? 0 });
    down.delete(index);
  }
  return {
    passed(bytes: number) {
      passed += bytes;
      if (passed < nextAt) return;
      nextAt = passed + draw(16 << 20);
      const index = draw(targets.length);
      if (down.size < downMax && !down.has(index)) down.set(index, killOne(index));
    },
    kills: () => kills,
    async settle() {
      await Promise.all(down.values());
    },
  };
}

function closedBy(sluice: SluiceProcess): Promise<Readonly<Record<string, number>>> {
  return sluice.status().then(({ listeners }) => listeners[0]?.closed ?? {});
}

describe('targets that are killed in mid-stream', () => {
  it('never make a client see bytes of another', async () => {
    const draw = drawFrom(testSeed());
    const targets = await startTargets(6);
    const addresses = targets.map(({ port }) => `"127.0.0.1:${port}"`).join(', ');
    // The smaller the buffer, the sooner a stream is spliced: pipes change hands all the time.
    const sluice = await startSluice(`admin: { listen: "127.0.0.1:0" }
log: { format: json, level: info }
engine: { buffer: 8KiB }
listeners: { in: { bind: "127.0.0.1:0", pool: out } }
pools: { out: { targets: [${addresses}], health: none, retries: 3 } }`);
    const before = await restOf(sluice);
    const { port } = await sluice.address('in');
    const killer = killAtRandom(targets, draw);
    const outcomes: Outcome[] = [];
    let client = 0;
    const lane = async () => {
      while (client < 1000) {
        client++;
        outcomes.push(await runClient(port, client, 1 + draw(12), (n) => killer.passed(n)));
      }
    };
    await Promise.all(Array.from({ length: 200 }, lane));
    await killer.settle();
    const cut = outcomes.filter(({ complete }) => !complete).length;
    process.stderr.write(`${killer.kills()} kills cut ${cut} of ${outcomes.length} streams\n`);
    expect(outcomes.filter(({ wrongAt }) => wrongAt !== null)).toEqual([]);
    expect(killer.kills()).toBeGreaterThan(3);
    expect(cut).toBeGreaterThan(0);
    expect(cut).toBeLessThan(outcomes.length);
    const { workers } = await expectAtRest(sluice, before);
    for (const { totals } of workers) expect(totals.spliced_bytes).toBeGreaterThan(0);
  });

  it('give the client a prefix, an end and a reason, at whatever byte it happens', async () => {
    const seed = testSeed();
    const draw = drawFrom(seed);
    const targets = await startTargets(1);
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: out, access_log: true } }
pools: { out: { targets: ["127.0.0.1:${targets[0]?.port}"], health: none } }`);
    const before = await restOf(sluice);
    const { port } = await sluice.address('in');
    for (let round = 0; round < 8; round++) {
      const offset = [1, 1 + draw(100), draw(100_000), draw(16 << 20)][round % 4] ?? 0;
      let received = 0;
      let killed: Promise<void> | null = null;
      const from = sluice.log.length;
      const { complete, wrongAt } = await runClient(port, round, 512, (bytes) => {
        received += bytes;
        if (received >= offset) killed ??= kill(targets[0]);
      });
      await killed;
      expect({ complete, wrongAt }).toEqual({ complete: false, wrongAt: null });
      const record = await sluice.event('connection_closed', () => true, from);
      // A killed process with unread input resets, one without ends its stream first.
      expect(['target_reset', 'target_closed']).toContain(record.reason);
      const old = targets[0]?.port ?? 0;
      targets[0] = await startEchoProcess({ name: 't', port: old });
    }
    const { target_reset = 0, target_closed = 0 } = await closedBy(sluice);
    expect(target_reset + target_closed).toBe(8);
    await expectAtRest(sluice, before);
  });

  it('cost no client that has sent nothing yet: another target takes it', async () => {
    const targets = await startTargets(2);
    const addresses = targets.map(({ port }) => `"127.0.0.1:${port}"`).join(', ');
    const sluice = await startSluice(`${configHead}
engine: { workers: 1 }
listeners: { in: { bind: "127.0.0.1:0", pool: out } }
pools: { out: { targets: [${addresses}], health: none } }`);
    const before = await restOf(sluice);
    const { port } = await sluice.address('in');
    const greeted = async () => {
      const socket: Socket = connect({ port, host: '127.0.0.1' });
      const [data] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return String(data);
    };
    for (let round = 0; round < 20; round++) {
      if (round === 10) await kill(targets[0]);
      expect(await greeted()).toBe(greeting);
    }
    const { listeners } = await expectAtRest(sluice, before);
    // A retry takes a turn of the rotation too: half of the clients meet the dead one, or all.
    const retries = listeners[0]?.totals.connect_retries ?? 0;
    expect(retries).toBeGreaterThanOrEqual(5);
    expect(retries).toBeLessThanOrEqual(10);
    expect(listeners[0]?.closed.connect_failed).toBe(0);
    const failures = () => sluice.log.filter(({ event }) => event === 'connect_failed');
    await waitFor('the records', () => failures().length === retries);
    expect(new Set(failures().map(({ failure }) => failure))).toEqual(new Set(['refused']));
  });
});
