// Targets that fail one after the other: how many real connections each tier gets, and how targets
// that fail in part are ejected and come back.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PoolStatus } from '../../src/model/status.js';
import { type EchoTarget, startTcpEcho } from '../support/echo-target.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

async function echo(port = 0): Promise<EchoTarget> {
  const target = await startTcpEcho({ greeting: 't', port });
  const closed = { done: false };
  const close = async () => {
    if (!closed.done) await target.close();
    closed.done = true;
  };
  onTestFinished(close);
  return { ...target, close };
}

/** True when the target's greeting arrived. */
async function greeted(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  const ended = new Promise<false>((resolve) => socket.once('close', () => resolve(false)));
  const arrived = new Promise<true>((resolve) => socket.once('data', () => resolve(true)));
  const good = await Promise.race([arrived, ended]);
  socket.destroy();
  await ended;
  return good;
}

/** Connects so many times, a few at once; answers how many were greeted. */
async function connectTimes(port: number, times: number): Promise<number> {
  let left = times;
  let good = 0;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left--;
      if (await greeted(port)) good++;
    }
  };
  await Promise.all(Array.from({ length: 20 }, client));
  return good;
}

/** The pool, once every worker has what the control plane believes of it. */
function poolWhen(sluice: SluiceProcess, what: string, rule: (pool: PoolStatus) => boolean) {
  return waitFor(
    what,
    async () => {
      const { generation, pools } = await sluice.status();
      const [pool] = pools;
      return generation.applied === generation.wanted && pool && rule(pool) ? pool : null;
    },
    { timeoutMs: 20_000 },
  );
}

const opened = (pool: PoolStatus) => pool.targets.map(({ totals }) => totals.connections_opened);

/** Connections that each target got meanwhile. */
async function gained(sluice: SluiceProcess, run: () => Promise<unknown>) {
  const before = opened(await poolWhen(sluice, 'a pool', () => true));
  await run();
  const after = opened(await poolWhen(sluice, 'a pool', () => true));
  return after.map((count, index) => (count ?? 0) - (before[index] ?? 0));
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

describe('targets that go down one after the other', () => {
  it('spill over to the next priority by their share, then to it, then to the backup', async () => {
    const first = await Promise.all([echo(), echo(), echo(), echo()]);
    const [low, spare] = await Promise.all([echo(), echo()]);
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    policy: random
    targets:
${first.map(({ port }) => `      - "127.0.0.1:${port}"`).join('\n')}
      - { address: "127.0.0.1:${low.port}", priority: 1 }
      - { address: "127.0.0.1:${spare.port}", backup: true }
    health: { type: tcp, interval: 100ms, fall: 2, rise: 2 }`);
    const { port } = await sluice.address('in');
    const share = (pool: PoolStatus) => pool.tiers.map((tier) => tier.share);
    const run = async (times: number) => {
      const counts = await gained(sluice, async () => {
        expect(await connectTimes(port, times)).toBe(times);
      });
      return { first: sum(counts.slice(0, 4)), low: counts[4], spare: counts[5] };
    };

    await poolWhen(sluice, 'all up', (pool) => share(pool)[0] === 1);
    expect(await run(200)).toEqual({ first: 200, low: 0, spare: 0 });

    await Promise.all([first[0]?.close(), first[1]?.close()]);
    await poolWhen(sluice, 'half of the first tier down', (pool) => share(pool)[0] === 0.7);
    const spilt = await run(1000);
    expect(spilt.spare).toBe(0);
    // A binomial of 1000 with 0.3 has a deviation of 14.5: this is 5 of them.
    expect(Math.abs((spilt.low ?? 0) - 300)).toBeLessThan(73);

    await Promise.all([first[2]?.close(), first[3]?.close()]);
    await poolWhen(sluice, 'the first tier down', (pool) => share(pool)[0] === 1);
    expect(await run(200)).toEqual({ first: 0, low: 200, spare: 0 });

    await low.close();
    await poolWhen(sluice, 'only the backup left', ({ tiers }) => tiers[0]?.priority === null);
    expect(await run(200)).toEqual({ first: 0, low: 0, spare: 200 });
  });
});

/** Resets every third connection, and greets the others as the rest of the pool does. */
async function startFlaky(): Promise<number> {
  let connections = 0;
  const flaky = createServer((socket) => {
    socket.on('error', () => undefined);
    connections++;
    if (connections % 3 === 0) socket.resetAndDestroy();
    else socket.write('t');
  });
  flaky.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(flaky, 'listening');
  onTestFinished(() => void flaky.close());
  return (flaky.address() as AddressInfo).port;
}

describe('a target that fails in part', () => {
  it('is ejected when it resets every third connection, and returns after its time', async () => {
    const good = await Promise.all([echo(), echo(), echo()]);
    const flaky = await startFlaky();
    const ports = [...good.map(({ port }) => port), flaky];
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    targets: [${ports.map((port) => `"127.0.0.1:${port}"`).join(', ')}]
    health: none
    outlier:
      interval: 1s
      min_targets: 4
      min_connections: 20
      failure_rate_deviations: 1.5
      base_ejection_time: 4s
      max_ejection_time: 4s`);
    const { port } = await sluice.address('in');
    const ejected = await waitFor(
      'the ejection',
      async () => {
        await connectTimes(port, 100);
        return sluice.log.find(({ event }) => event === 'target_ejected');
      },
      { timeoutMs: 30_000 },
    );
    expect(ejected).toMatchObject({ target: `127.0.0.1:${flaky}`, reason: 'failure_rate' });
    await poolWhen(sluice, 'a table without it', ({ tiers }) => tiers[0]?.candidates === 3);
    const counts = await gained(sluice, async () => {
      expect(await connectTimes(port, 120)).toBe(120);
    });
    expect(sluice.log.some(({ event }) => event === 'target_returned')).toBe(false);
    expect(counts[3]).toBe(0);

    await sluice.event('target_returned');
    await poolWhen(sluice, 'a table with it', ({ tiers }) => tiers[0]?.candidates === 4);
    const after = await gained(sluice, () => connectTimes(port, 40));
    expect(after[3]).toBeGreaterThan(0);
  });

  it('is skipped after max_fails refused connects, and decides by its next one', async () => {
    const [good, gone] = await Promise.all([echo(), echo()]);
    await gone.close();
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    targets: ["127.0.0.1:${good.port}", "127.0.0.1:${gone.port}"]
    health: none
    passive: { max_fails: 3, fail_timeout: 2s }`);
    const { port } = await sluice.address('in');
    // No client notices: each is served by the other target.
    expect(await connectTimes(port, 40)).toBe(40);
    const skipped = await sluice.event('target_ejected');
    expect(skipped).toMatchObject({ target: `127.0.0.1:${gone.port}`, reason: 'max_fails' });
    await echo(gone.port);
    await sluice.event('target_returned');
    await poolWhen(sluice, 'a table with it', ({ tiers }) => tiers[0]?.candidates === 2);
    const counts = await gained(sluice, async () => {
      expect(await connectTimes(port, 40)).toBe(40);
    });
    expect(counts[1]).toBeGreaterThan(0);
  });
});
