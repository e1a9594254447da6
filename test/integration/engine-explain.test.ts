// Explain in the real engine: what it says is what the next client meets, and nothing changes by
// the asking.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Forecast } from '../../src/model/forecast.js';
import type { Policy, PolicyName } from '../../src/model/policy.js';
import type { TablePool } from '../../src/model/table.js';
import { startTcpEcho, startUdpEcho } from '../support/echo-target.js';
import {
  type EngineHarness,
  ipv4,
  type PoolSpec,
  startEngineHarness,
} from '../support/engine-harness.js';
import { sticky } from '../support/sample-config.js';
import { drawFrom, testSeed } from '../support/seed.js';
import { track } from '../support/track.js';
import { waitFor } from '../support/wait-for.js';

/**
 * Those whose next pick follows from what stands still until a client comes or goes: counts, keys,
 * and the worker's own place in the rotation or among its random numbers. The others look at
 * response times and bandwidths, which go on with the clock.
 */
const steadyPolicies: readonly PolicyName[] = [
  'round_robin',
  'weighted_round_robin',
  'least_connections',
  'random',
  'power_of_two',
  'first',
  'source_hash',
  'ring_hash',
  'maglev',
];

const policyOf = (name: PolicyName, overrides: Partial<Policy> = {}): Policy => ({
  name,
  key: 'source',
  prefixV4: 32,
  prefixV6: 128,
  load: 'connections',
  boundedLoad: 0,
  ...overrides,
});

/** One worker, one pool of targets that say who they are. */
async function startPool(count: number, spec: Omit<PoolSpec, 'targets'> = {}) {
  const targets = await Promise.all(
    Array.from({ length: count }, async (_, slot) =>
      track(await startTcpEcho({ greeting: String(slot) })),
    ),
  );
  const harness = track(startEngineHarness({ workers: 1 }));
  const ports = targets.map(({ port }) => port);
  await harness.apply({
    generation: 1,
    listeners: [{ accessLog: false }],
    pools: [{ targets: ports, ...spec }],
  });
  return harness;
}

function explain(harness: EngineHarness, client = '127.0.0.1', port = 0): Promise<Forecast> {
  return harness.engine.explain({
    listenerSlot: 0,
    worker: 0,
    client: { ip: ipv4(client), port },
  });
}

/** A client that stays; null: it was refused. */
async function enter(
  harness: EngineHarness,
  client: string,
): Promise<{ readonly slot: number; readonly socket: Socket } | null> {
  const socket = connect({ port: harness.port(0), host: '127.0.0.1', localAddress: client });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => socket.destroy());
  const slot = await new Promise<number | null>((resolve) => {
    socket.once('data', (data) => resolve(Number(String(data))));
    socket.once('close', () => resolve(null));
  });
  return slot === null ? null : { slot, socket };
}

const unequalTier = (count: number): TablePool['tiers'] => [
  {
    candidates: Array.from({ length: count }, (_, target) => ({
      target,
      weight: 1 + (target % 3),
    })),
    configured: count,
    share: 10_000,
  },
];

describe('explain and the next connection agree', () => {
  for (const name of steadyPolicies) {
    it(`for ${name}, whoever comes and goes`, async () => {
      const count = 5;
      const draw = drawFrom(testSeed());
      const harness = await startPool(count, {
        overrides: { policy: policyOf(name), tiers: unequalTier(count) },
      });
      const open: Socket[] = [];
      for (let step = 0; step < 25; step++) {
        const client = `127.0.0.${1 + draw(20)}`;
        const forecast = await explain(harness, client);
        expect(forecast.outcome).toBe('picked');
        const entered = await enter(harness, client);
        expect(entered?.slot, `step ${step}`).toBe(forecast.targetSlot);
        if (entered) open.push(entered.socket);
        if (draw(3) > 0) continue;
        open.splice(draw(open.length), 1)[0]?.destroy();
        await waitFor(
          'the end to be counted',
          () => harness.engine.counters.listenerActive(0) === open.length,
        );
      }
    });
  }

  it('for a key with the port of a UDP client, and then names its session', async () => {
    const targets = [track(await startUdpEcho()), track(await startUdpEcho())];
    const harness = track(startEngineHarness({ workers: 1 }));
    await harness.apply({
      generation: 1,
      listeners: [{ protocol: 'udp', accessLog: false }],
      pools: [
        {
          targets: targets.map(({ port }) => port),
          overrides: { policy: policyOf('maglev', { key: 'source_port' }) },
        },
      ],
    });
    const sessions = () =>
      targets.map((_, slot) => harness.engine.counters.target(slot).get('sessions_opened') ?? 0);
    for (let round = 0; round < 12; round++) {
      const socket = createSocket('udp4');
      onTestFinished(() => void socket.close());
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const { port } = socket.address();
      const before = sessions();
      const forecast = await explain(harness, '127.0.0.1', port);
      expect(forecast.outcome).toBe('picked');
      const answered = once(socket, 'message');
      socket.send('x', harness.port(0), '127.0.0.1');
      await answered;
      const after = sessions().findIndex((opened, slot) => opened > (before[slot] ?? 0));
      expect(after).toBe(forecast.targetSlot);
      expect(await explain(harness, '127.0.0.1', port)).toMatchObject({
        outcome: 'session',
        targetSlot: after,
      });
    }
  });

  it('when targets fill up, until nobody is left and the client is refused', async () => {
    const harness = await startPool(3, { maxConnections: 1 });
    for (let filled = 0; filled < 3; filled++) {
      const forecast = await explain(harness);
      const full = forecast.candidates.filter(({ standing }) => standing === 'full');
      expect(full).toHaveLength(filled);
      expect((await enter(harness, '127.0.0.1'))?.slot).toBe(forecast.targetSlot);
    }
    expect(await explain(harness)).toMatchObject({ outcome: 'no_target', targetSlot: null });
    expect(await enter(harness, '127.0.0.1')).toBeNull();
  });

  it('when a sticky entry decides, and when a full target makes it give way', async () => {
    const harness = await startPool(3, { maxConnections: 1, overrides: { sticky } });
    const first = await explain(harness, '127.0.0.9');
    expect(first.sticky).toEqual({ step: 'miss', targetSlot: null });
    const entered = await enter(harness, '127.0.0.9');
    expect(entered?.slot).toBe(first.targetSlot);
    const full = await explain(harness, '127.0.0.9');
    expect(full.sticky).toEqual({ step: 'moved_full', targetSlot: first.targetSlot });
    expect((await enter(harness, '127.0.0.9'))?.slot).toBe(full.targetSlot);
    entered?.socket.destroy();
    await waitFor('the end to be counted', () => harness.engine.counters.listenerActive(0) === 1);
    const back = await explain(harness, '127.0.0.9');
    expect(back).toMatchObject({
      outcome: 'picked',
      targetSlot: first.targetSlot,
      sticky: { step: 'hit', targetSlot: first.targetSlot },
      candidates: [],
    });
    expect((await enter(harness, '127.0.0.9'))?.slot).toBe(first.targetSlot);
  });
});

describe('explaining', () => {
  it('a thousand times changes no pick, no counter and no sticky entry', async () => {
    const harness = await startPool(4, { overrides: { sticky } });
    const { counters } = harness.engine;
    const state = () => [
      ...[0, 1, 2, 3].map((slot) => [...counters.target(slot)]),
      [...counters.listener(0)],
      [...counters.pool(0)],
      counters.stickyEntries(0),
    ];
    const before = state();
    const first = await explain(harness, '127.0.0.7');
    for (let asked = 1; asked < 1000; asked++) {
      expect((await explain(harness, '127.0.0.7')).targetSlot).toBe(first.targetSlot);
    }
    expect(state()).toEqual(before);
    expect((await enter(harness, '127.0.0.7'))?.slot).toBe(first.targetSlot);
  });

  it('many at once answers each of them', async () => {
    const harness = await startPool(3, { overrides: { policy: policyOf('maglev') } });
    const clients = Array.from({ length: 40 }, (_, index) => `127.0.1.${index + 1}`);
    const together = await Promise.all(clients.map((client) => explain(harness, client)));
    for (const [index, client] of clients.entries()) {
      expect(together[index]).toEqual(await explain(harness, client));
    }
    expect(new Set(together.map(({ targetSlot }) => targetSlot)).size).toBe(3);
  });

  it('a listener that is not there says so', async () => {
    const harness = await startPool(1);
    const asked = harness.engine.explain({
      listenerSlot: 9,
      worker: 0,
      client: { ip: null, port: 0 },
    });
    expect(await asked).toMatchObject({ outcome: 'unknown_listener', poolSlot: null });
  });
});
