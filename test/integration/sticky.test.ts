// Sticky pools in the real engine: two workers, clients with addresses of their own, and tables
// that come and go.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { Sticky } from '../../src/model/sticky.js';
import type { Table, TableTarget } from '../../src/model/table.js';
import { startTcpEcho, startUdpEcho } from '../support/echo-target.js';
import {
  type EngineHarness,
  startEngineHarness,
  type TableSpec,
  tableOf,
} from '../support/engine-harness.js';
import { sticky } from '../support/sample-config.js';
import { waitFor } from '../support/wait-for.js';

const names = ['a', 'b', 'c', 'd'];

/** Round robin over targets that say who they are: a client that is not known gets another. */
async function greetingTargets(): Promise<readonly number[]> {
  const started = await Promise.all(names.map((name) => startTcpEcho({ greeting: name })));
  onTestFinished(async () => {
    for (const target of started) await target.close();
  });
  return started.map(({ port }) => port);
}

function engine(): EngineHarness {
  const harness = startEngineHarness({ workers: 2 });
  onTestFinished(() => harness.close());
  return harness;
}

interface StickyTable {
  readonly generation: number;
  readonly targets: readonly number[];
  readonly sticky?: Partial<Sticky>;
  /** Target by target, where not as it is by itself: a candidate that clients may return to. */
  readonly states?: Readonly<Record<string, 'down' | 'draining'>>;
  readonly protocol?: 'tcp' | 'udp';
}

function stickyTable({ generation, targets, states = {}, ...rest }: StickyTable): Table {
  const spec: TableSpec = {
    generation,
    listeners: [{ protocol: rest.protocol ?? 'tcp' }],
    pools: [{ targets, overrides: { sticky: { ...sticky, ...rest.sticky } } }],
  };
  const table = tableOf(spec);
  const stateOf = (index: number) => states[names[index] ?? ''];
  return {
    ...table,
    targets: table.targets.map((target, index): TableTarget => {
      if (stateOf(index) === undefined) return target;
      return { ...target, servesSticky: stateOf(index) === 'draining', renewsSticky: false };
    }),
    pools: table.pools.map((pool) => ({
      ...pool,
      tiers: pool.tiers.map((tier) => ({
        ...tier,
        candidates: tier.candidates.filter(({ target }) => stateOf(target) === undefined),
      })),
    })),
  };
}

async function apply(harness: EngineHarness, table: StickyTable): Promise<void> {
  expect(await harness.engine.apply(stickyTable(table))).toMatchObject({ applied: true });
}

/** Which target a client gets; empty: it is refused. */
async function ask(harness: EngineHarness, client: string): Promise<string> {
  const socket = connect({ port: harness.port(0), host: '127.0.0.1', localAddress: client });
  try {
    return await new Promise<string>((resolve) => {
      socket.once('data', (data) => resolve(String(data)));
      // Refused: reset before a word.
      socket.once('error', () => resolve(''));
      socket.once('close', () => resolve(''));
    });
  } finally {
    socket.destroy();
  }
}

function counter(harness: EngineHarness, name: string): number {
  return harness.engine.counters.pool(0).get(name) ?? Number.NaN;
}

const clients = Array.from({ length: 20 }, (_, index) => `127.0.1.${index + 1}`);

async function askAll(harness: EngineHarness): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>();
  for (const client of clients) answers.set(client, await ask(harness, client));
  return answers;
}

it('sends a client to one target, on whichever worker its connections arrive', async () => {
  const harness = engine();
  await apply(harness, { generation: 1, targets: await greetingTargets() });
  const first = await askAll(harness);
  expect(new Set(first.values())).toEqual(new Set(names));
  for (let round = 0; round < 3; round++) expect(await askAll(harness)).toEqual(first);
  const { counters } = harness.engine;
  const accepted = [0, 1].map((worker) => counters.worker(worker).get('copied_bytes') ?? 0);
  expect(Math.min(...accepted)).toBeGreaterThan(0);
  expect(counter(harness, 'sticky_misses')).toBe(clients.length);
  expect(counter(harness, 'sticky_hits')).toBe(3 * clients.length);
  expect(counters.stickyEntries(0)).toBe(clients.length);
});

it('sends all first connections of a client to one target, when they come at once', async () => {
  const harness = engine();
  await apply(harness, { generation: 1, targets: await greetingTargets() });
  for (const client of clients) {
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(harness, client)));
    expect(new Set(answers).size).toBe(1);
  }
});

it('remembers through reloads, with another capacity too, not with another prefix', async () => {
  const harness = engine();
  const targets = await greetingTargets();
  await apply(harness, { generation: 1, targets });
  const first = await askAll(harness);
  await apply(harness, { generation: 2, targets });
  expect(await askAll(harness)).toEqual(first);
  await apply(harness, { generation: 3, targets, sticky: { capacity: 5000 } });
  expect(harness.engine.counters.stickyEntries(0)).toBe(clients.length);
  expect(await askAll(harness)).toEqual(first);
  expect(counter(harness, 'sticky_misses')).toBe(clients.length);
  await apply(harness, { generation: 4, targets, sticky: { capacity: 5000, prefixV4: 24 } });
  expect(new Set((await askAll(harness)).values()).size).toBe(1);
  expect(counter(harness, 'sticky_misses')).toBe(clients.length + 1);
});

it('forgets those seen longest ago at the capacity, and when that shrinks', async () => {
  const harness = engine();
  const targets = await greetingTargets();
  await apply(harness, { generation: 1, targets });
  await askAll(harness);
  await apply(harness, { generation: 2, targets, sticky: { capacity: 5 } });
  expect(harness.engine.counters.stickyEntries(0)).toBe(5);
  const [oldest = '', latest = ''] = [clients[0], clients.at(-1)];
  await ask(harness, latest);
  expect(counter(harness, 'sticky_hits')).toBe(1);
  await ask(harness, oldest);
  expect(counter(harness, 'sticky_hits')).toBe(1);
  expect(counter(harness, 'sticky_evicted')).toBe(1);
  expect(harness.engine.counters.stickyEntries(0)).toBe(5);
});

it('moves a client from a target that is down, and leaves it where it moved to', async () => {
  const harness = engine();
  const targets = await greetingTargets();
  await apply(harness, { generation: 1, targets });
  const first = await askAll(harness);
  await apply(harness, { generation: 2, targets, states: { b: 'down' } });
  const moved = await askAll(harness);
  for (const client of clients) {
    if (first.get(client) === 'b') expect(moved.get(client)).not.toBe('b');
    else expect(moved.get(client)).toBe(first.get(client));
  }
  const ofB = [...first.values()].filter((name) => name === 'b').length;
  expect(counter(harness, 'sticky_moves')).toBe(ofB);
  await apply(harness, { generation: 3, targets });
  expect(await askAll(harness)).toEqual(moved);
});

it('refuses a client whose target is down, where it is not to be moved', async () => {
  const harness = engine();
  const targets = await greetingTargets();
  const choice = { whenDown: 'refuse' } as const;
  await apply(harness, { generation: 1, targets, sticky: choice });
  const first = await askAll(harness);
  await apply(harness, { generation: 2, targets, sticky: choice, states: { b: 'down' } });
  const meanwhile = await askAll(harness);
  for (const client of clients) {
    expect(meanwhile.get(client)).toBe(first.get(client) === 'b' ? '' : first.get(client));
  }
  const ofB = [...first.values()].filter((name) => name === 'b').length;
  expect(counter(harness, 'sticky_refusals')).toBe(ofB);
  expect(harness.engine.counters.listenerCloseReasons(0).get('no_target')).toBe(ofB);
  await apply(harness, { generation: 3, targets, sticky: choice });
  expect(await askAll(harness)).toEqual(first);
});

it('sends clients that are known to a target that drains, and no others', async () => {
  const harness = engine();
  const targets = await greetingTargets();
  await apply(harness, { generation: 1, targets });
  const first = await askAll(harness);
  await apply(harness, { generation: 2, targets, states: { b: 'draining' } });
  expect(await askAll(harness)).toEqual(first);
  for (let last = 1; last <= 8; last++) {
    expect(['a', 'c', 'd']).toContain(await ask(harness, `127.0.2.${last}`));
  }
});

it('moves a client from a target that is dead before its health is known', async () => {
  const harness = engine();
  const targets = await greetingTargets();
  const dead = await startTcpEcho({ greeting: 'b' });
  const withDead = targets.map((port, index) => (index === 1 ? dead.port : port));
  await apply(harness, { generation: 1, targets: withDead });
  const first = await askAll(harness);
  await dead.close();
  const moved = await askAll(harness);
  for (const client of clients) {
    if (first.get(client) === 'b') expect(['a', 'c', 'd']).toContain(moved.get(client));
    else expect(moved.get(client)).toBe(first.get(client));
  }
  const failed = harness.connectFailures.length;
  expect(await askAll(harness)).toEqual(moved);
  expect(harness.connectFailures).toHaveLength(failed);
});

it('keeps sessions of a client together, and forgets it after an ICMP error', async () => {
  const harness = engine();
  const echoes = new Set(await Promise.all([startUdpEcho(), startUdpEcho()]));
  onTestFinished(async () => {
    for (const echo of echoes) await echo.close();
  });
  const [first, second] = [...echoes];
  if (first === undefined || second === undefined) throw new Error('no targets');
  const targets = [first.port, second.port];
  await apply(harness, { generation: 1, targets, protocol: 'udp' });
  const opened = (slot: number) => harness.engine.counters.target(slot).get('sessions_opened') ?? 0;
  /** A port of its own until the test ends: one that came again would be in an earlier session. */
  const newClient = () => {
    const socket = createSocket('udp4');
    onTestFinished(() => void socket.close());
    return socket;
  };
  const exchange = async () => {
    const socket = newClient();
    const answered = once(socket, 'message');
    socket.send('x', harness.port(0), '127.0.0.1');
    await answered;
  };
  for (let i = 0; i < 10; i++) await exchange();
  expect([opened(0), opened(1)].toSorted((x, y) => x - y)).toEqual([0, 10]);
  const [slot, gone] = opened(0) === 10 ? [0, first] : [1, second];
  echoes.delete(gone);
  await gone.close();
  // Forgotten, so that the policy decides anew; it may pick the same until its health is known.
  newClient().send('x', harness.port(0), '127.0.0.1');
  await waitFor('the ICMP error', () => harness.unreachable.length > 0);
  await waitFor('the client to be forgotten', () => {
    return harness.engine.counters.stickyEntries(0) === 0;
  });
  const states = { [names[slot] ?? '']: 'down' } as const;
  await apply(harness, { generation: 2, targets, protocol: 'udp', states });
  for (let i = 0; i < 10; i++) await exchange();
  expect(opened(1 - slot)).toBe(10);
});
