// The checker with fake targets on a fake clock.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HealthChecker } from '../../../src/health/checker.js';
import type { IpAddress } from '../../../src/model/address.js';
import type { HealthChange } from '../../../src/model/health.js';
import type { CheckBasics } from '../../../src/model/health-check.js';
import { FakeClock } from '../../support/fake-clock.js';
import { createFakeProbes, fakeProbes } from '../../support/fake-probe.js';
import { at, check, every, ip, named, pool, target } from '../../support/sample-config.js';

const noNames: ReadonlyMap<string, IpAddress> = new Map();
const a = target('a', { address: at('192.0.2.1') });
const b = target('b', { address: at('192.0.2.2') });

function setup(options: { concurrency?: number; random?: () => number; latencyMs?: number } = {}) {
  const clock = new FakeClock();
  const fake = createFakeProbes(clock, options.latencyMs);
  const changes: (HealthChange & { atMs: number })[] = [];
  const checker = new HealthChecker({
    clock,
    random: options.random ?? (() => 0),
    probes: fakeProbes(fake.probe),
    onChange: (change) => changes.push({ ...change, atMs: clock.nowMs() }),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });
  const brief = () => changes.map((change) => `${change.target} ${change.health} ${change.reason}`);
  return { clock, fake, changes, checker, brief };
}

const web = (health: Partial<CheckBasics> = {}) =>
  pool('web', [a, b], { health: { ...check, ...health } });

describe('the checker', () => {
  it('tells of each probe that passed, and when it began', async () => {
    const clock = new FakeClock();
    const fake = createFakeProbes(clock, 5);
    const passed: (readonly [string, string, number])[] = [];
    const checker = new HealthChecker({
      clock,
      random: () => 0,
      probes: fakeProbes(fake.probe),
      onChange: () => undefined,
      onPass: (...told) => passed.push(told),
    });
    fake.behave('192.0.2.2:80', 'refuses');
    const began = clock.nowMs();
    checker.update([pool('web', [a, b], { health: { ...check, intervalMs: 1000 } })], noNames);
    await clock.advance(1500);
    const key = '["web","a","192.0.2.1:80"]';
    expect(passed).toEqual([
      [key, 'web', began],
      [key, 'web', began + 1000],
    ]);
    checker.close();
  });

  it('reports changes only: once healthy, once unhealthy, once healthy again', async () => {
    const { clock, fake, checker, brief } = setup();
    checker.update([web()], noNames);
    await clock.advance(5000);
    expect(brief()).toEqual(['a healthy connected', 'b healthy connected']);
    fake.behave('192.0.2.1:80', 'refuses');
    await clock.advance(10_000);
    expect(brief().slice(2)).toEqual(['a unhealthy refused']);
    fake.behave('192.0.2.1:80', 'answers');
    await clock.advance(10_000);
    expect(brief().slice(3)).toEqual(['a healthy connected']);
    checker.close();
  });

  it('judges a death within fall x interval + 50 ms, a return within rise x interval', async () => {
    const scenario = fc.record({
      intervalMs: fc.integer({ min: 100, max: 5000 }),
      timeoutShare: fc.double({ min: 0.05, max: 1, noNaN: true }),
      rise: fc.integer({ min: 1, max: 4 }),
      fall: fc.integer({ min: 1, max: 4 }),
      jitter: fc.double({ min: 0, max: 0.5, noNaN: true }),
      latencyShare: fc.double({ min: 0, max: 0.4, noNaN: true }),
      diesAfterMs: fc.double({ min: 0, max: 20_000, noNaN: true }),
      livesAfterMs: fc.double({ min: 0, max: 20_000, noNaN: true }),
      dead: fc.constantFrom<'refuses' | 'swallows'>('refuses', 'swallows'),
      randoms: fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { intervalMs, rise, fall, jitter, randoms } = given;
        const timeoutMs = intervalMs * given.timeoutShare;
        // A live target answers in less than half of any timeout that the schedule may choose.
        const latencyMs = Math.min(timeoutMs, intervalMs / 2) * given.latencyShare;
        const random = () => randoms.next().value ?? 0;
        const { clock, fake, changes, checker } = setup({ latencyMs, random });
        checker.update([web({ ...every(intervalMs), timeoutMs, rise, fall, jitter })], noNames);
        await clock.advance(2 * intervalMs + given.diesAfterMs);
        expect(changes.map(({ health }) => health)).toEqual(['healthy', 'healthy']);

        fake.behave('192.0.2.1:80', given.dead);
        const diedMs = clock.nowMs();
        await clock.advance(fall * intervalMs + latencyMs + 100);
        expect(changes.slice(2)).toMatchObject([{ target: 'a', health: 'unhealthy' }]);
        // 50 ms of the 100 are left for joining changes and publishing the table.
        expect((changes[2]?.atMs ?? 0) - diedMs).toBeLessThanOrEqual(fall * intervalMs + 50);

        await clock.advance(given.livesAfterMs);
        fake.behave('192.0.2.1:80', 'answers');
        const livesMs = clock.nowMs();
        await clock.advance(rise * intervalMs + timeoutMs + latencyMs);
        expect(changes.slice(3)).toMatchObject([{ target: 'a', health: 'healthy' }]);
        expect((changes[3]?.atMs ?? 0) - livesMs).toBeLessThanOrEqual(
          rise * intervalMs + latencyMs + 1e-6,
        );
        expect(fake.overlaps()).toBe(0);
        checker.close();
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('spreads the first probes over the first interval', async () => {
    const { clock, fake, checker } = setup();
    const targets = Array.from({ length: 10 }, (_, index) =>
      target(`t${index}`, { address: at(`192.0.2.${index + 1}`) }),
    );
    checker.update([pool('web', targets)], noNames);
    await clock.advance(999);
    const firsts = [...fake.starts.values()].map(([first]) => first);
    expect(firsts).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    checker.close();
  });

  it('keeps to the concurrency limit and lets a small pool pass a large dead one', async () => {
    const { clock, fake, checker, changes } = setup({ concurrency: 4 });
    const many = Array.from({ length: 40 }, (_, index) => {
      const address = at(`198.51.100.${index + 1}`);
      fake.behave(`198.51.100.${index + 1}:80`, 'swallows');
      return target(`t${index}`, { address });
    });
    checker.update([pool('large', many), pool('small', [a])], noNames);
    await clock.advance(60_000);
    expect(fake.underWayMax()).toBe(4);
    expect(checker.load().waiting).toBeGreaterThan(0);
    const starts = fake.starts.get('192.0.2.1:80') ?? [];
    const waits = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
    // At worst one timeout (500 ms) passes until one of the four places is free.
    expect(Math.max(...waits)).toBeLessThanOrEqual(1000 + 500);
    expect(changes.filter((change) => change.pool === 'small')).toHaveLength(1);
    expect(changes.filter((change) => change.pool === 'large')).toHaveLength(40);
    checker.close();
  });

  it('voids timeouts that its own stall explains, and takes nobody down', async () => {
    const { clock, fake, checker, changes } = setup({ latencyMs: 1 });
    checker.update([web({ fall: 1, timeoutMs: 200 })], noNames);
    await clock.advance(2999);
    fake.behave('192.0.2.1:80', 'swallows');
    fake.behave('192.0.2.2:80', 'swallows');
    await clock.advance(50);
    const before = changes.length;
    for (let round = 0; round < 10; round++) {
      await clock.stall(30_000);
      await clock.advance(1);
    }
    expect(changes.slice(before)).toEqual([]);
    expect(checker.snapshot().reduce((sum, { probesVoid }) => sum + probesVoid, 0)).toBeGreaterThan(
      2,
    );
    await clock.advance(2000);
    expect(changes.slice(before)).toMatchObject([{ health: 'unhealthy' }, { health: 'unhealthy' }]);
    checker.close();
  });

  it('still counts a timeout when the stall was less than half of it', async () => {
    const { clock, fake, checker, brief } = setup();
    checker.update([pool('web', [a], { health: { ...check, fall: 1, timeoutMs: 400 } })], noNames);
    await clock.advance(10);
    fake.behave('192.0.2.1:80', 'swallows');
    await clock.advance(650);
    expect(fake.underWay()).toBe(1);
    await clock.stall(150);
    await clock.advance(400);
    expect(brief()).toEqual(['a healthy connected', 'a unhealthy timed_out']);
    checker.close();
  });

  it('takes nobody down for a fault of its own, and shows it', async () => {
    const { clock, fake, checker, brief } = setup();
    checker.update([web()], noNames);
    await clock.advance(1500);
    fake.behave('192.0.2.1:80', 'no_descriptor');
    await clock.advance(60_000);
    expect(brief()).toEqual(['a healthy connected', 'b healthy connected']);
    expect(checker.snapshot()[0]).toMatchObject({ health: 'healthy', reason: 'local' });
    expect(checker.snapshot()[0]?.probesVoid).toBeGreaterThan(10);
    checker.close();
  });

  it('gives up a probe that never settles, and goes on probing', async () => {
    const { clock, fake, checker } = setup();
    checker.update([web()], noNames);
    fake.behave('192.0.2.1:80', 'never_settles');
    await clock.advance(20_000);
    expect(fake.starts.get('192.0.2.1:80')?.length).toBeGreaterThan(5);
    expect(checker.load().underWay).toBeLessThanOrEqual(2);
    checker.close();
  });

  it('counts a failed connection like one failed probe', async () => {
    const { clock, fake, checker, brief } = setup();
    checker.update([web({ fall: 2 })], noNames);
    await clock.advance(1600);
    for (let round = 0; round < 100; round++) checker.connectFailed('web', 'a');
    expect(brief()).toHaveLength(2);
    await clock.advance(1000);
    expect(brief()).toHaveLength(2);
    fake.behave('192.0.2.1:80', 'refuses');
    await clock.advance(500);
    expect(brief()).toHaveLength(2);
    checker.connectFailed('web', 'a');
    expect(brief().slice(2)).toEqual(['a unhealthy connect_failed']);
    checker.connectFailed('web', 'nobody');
    checker.close();
  });
});

describe('a disabled target', () => {
  it('is not probed; enabled again it is probed at once and that probe decides', async () => {
    const { clock, fake, checker, brief } = setup();
    checker.update([web()], noNames);
    await clock.advance(1200);
    checker.setAdminState('web', 'a', 'disabled');
    fake.behave('192.0.2.1:80', 'refuses');
    const count = fake.starts.get('192.0.2.1:80')?.length;
    await clock.advance(20_000);
    checker.connectFailed('web', 'a');
    expect(fake.starts.get('192.0.2.1:80')).toHaveLength(count ?? 0);
    checker.setAdminState('web', 'a', 'enabled');
    await clock.advance(1);
    expect(brief().slice(2)).toEqual(['a unhealthy refused']);
    checker.close();
  });

  it('stays unprobed over a reload, also one that gives its name another address', async () => {
    const { clock, fake, checker } = setup();
    const pools = [pool('web', [target('n', { address: named('db') })])];
    checker.update(pools, new Map([['db', ip('192.0.2.7')]]));
    checker.setAdminState('web', 'n', 'disabled');
    checker.update(pools, new Map([['db', ip('192.0.2.8')]]));
    await clock.advance(10_000);
    expect(fake.starts.size).toBe(0);
    checker.setAdminState('web', 'n', 'enabled');
    await clock.advance(10);
    expect([...fake.starts.keys()]).toEqual(['192.0.2.8:80']);
    checker.close();
  });

  it('never has two probes under way when it is disabled and enabled during one', async () => {
    const { clock, fake, checker } = setup();
    fake.behave('192.0.2.1:80', 'swallows');
    checker.update([pool('web', [a])], noNames);
    await clock.advance(100);
    for (let round = 0; round < 20; round++) {
      checker.setAdminState('web', 'a', 'disabled');
      await clock.advance(7);
      checker.setAdminState('web', 'a', 'enabled');
      await clock.advance(150);
    }
    expect(fake.overlaps()).toBe(0);
    expect(fake.starts.get('192.0.2.1:80')?.length).toBeGreaterThan(5);
    checker.close();
  });

  it('goes on being probed while it only drains', async () => {
    const { clock, fake, checker } = setup();
    checker.update([web()], noNames);
    checker.setAdminState('web', 'a', 'draining');
    await clock.advance(5500);
    expect(fake.starts.get('192.0.2.1:80')).toHaveLength(6);
    checker.close();
  });
});

describe('a reload', () => {
  it('keeps the verdicts and counts of targets that stay, and forgets the others', async () => {
    const { clock, fake, checker, brief } = setup();
    fake.behave('192.0.2.1:80', 'refuses');
    checker.update([web()], noNames);
    await clock.advance(3000);
    const before = checker.snapshot();
    checker.update([pool('web', [b, a, target('c', { address: at('192.0.2.3') })])], noNames);
    expect(checker.snapshot().slice(0, 2)).toEqual(before);
    checker.update([pool('web', [b])], noNames);
    expect(checker.snapshot()).toHaveLength(1);
    const seen = fake.starts.get('192.0.2.1:80')?.length ?? 0;
    await clock.advance(10_000);
    expect(fake.starts.get('192.0.2.1:80')).toHaveLength(seen);
    expect(brief()).toEqual(['a unhealthy refused', 'b healthy connected']);
    checker.close();
  });

  it('applies a changed interval, threshold and port', async () => {
    const { clock, fake, checker, changes } = setup();
    checker.update([pool('web', [a], { health: { ...check, ...every(60_000) } })], noNames);
    await clock.advance(10);
    checker.update(
      [pool('web', [a], { health: { ...check, ...every(100), port: 8080 } })],
      noNames,
    );
    await clock.advance(1000);
    expect(fake.starts.get('192.0.2.1:80')).toHaveLength(1);
    expect(fake.starts.get('192.0.2.1:8080')?.length).toBeGreaterThanOrEqual(9);
    fake.behave('192.0.2.1:8080', 'refuses');
    checker.update(
      [pool('web', [a], { health: { ...check, ...every(100), port: 8080, fall: 1 } })],
      noNames,
    );
    await clock.advance(100);
    expect(changes.at(-1)).toMatchObject({ health: 'unhealthy' });
    checker.close();
  });

  it('disregards the result of a probe that went to the previous port', async () => {
    const { clock, fake, checker, changes } = setup();
    fake.behave('192.0.2.1:80', 'swallows');
    checker.update([pool('web', [a])], noNames);
    await clock.advance(100);
    checker.update([pool('web', [a], { health: { ...check, port: 81 } })], noNames);
    await clock.advance(1500);
    expect(changes.map(({ health }) => health)).toEqual(['healthy']);
    checker.close();
  });

  it('does not probe pools without a check nor names without an address', async () => {
    const { clock, fake, checker } = setup();
    checker.update(
      [
        pool('off', [a], { health: { ...check, kind: 'none' } }),
        pool('web', [target('n', { address: named('db') })]),
      ],
      noNames,
    );
    await clock.advance(5000);
    expect(fake.starts.size).toBe(0);
    expect(checker.snapshot()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
    checker.close();
  });
});

it('shows the last result, its latency, the counts and since when', async () => {
  const { clock, fake, checker } = setup({ latencyMs: 3 });
  checker.update([pool('web', [a])], noNames);
  expect(checker.snapshot()).toMatchObject([{ health: 'unknown', since: null, reason: null }]);
  await clock.advance(2500);
  expect(checker.snapshot()).toMatchObject([
    { health: 'healthy', reason: 'connected', latencyMs: 3, consecutiveGood: 3, probes: 3 },
  ]);
  fake.behave('192.0.2.1:80', 'refuses');
  await clock.advance(1000);
  expect(checker.snapshot()).toMatchObject([
    { health: 'healthy', reason: 'refused', latencyMs: 3, consecutiveGood: 0, consecutiveBad: 1 },
  ]);
  expect(checker.snapshot()[0]?.since?.getTime()).toBe(Date.UTC(2030, 0, 1) + 3);
  checker.close();
});

it('leaves no timer behind and reports nothing after close', async () => {
  const { clock, fake, checker, changes } = setup();
  fake.behave('192.0.2.1:80', 'swallows');
  checker.update([web()], noNames);
  await clock.advance(100);
  checker.close();
  await clock.advance(5000);
  expect(changes).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});
