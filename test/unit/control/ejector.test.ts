// Ejector: rules, counters and time together, with counters that a test turns.
import { describe, expect, it } from 'vitest';
import { Ejector } from '../../../src/control/ejector.js';
import type { OutlierRules, PassiveRules } from '../../../src/model/pool.js';
import { FakeClock } from '../../support/fake-clock.js';
import { createRecordingLogger } from '../../support/recording-logger.js';
import { outlier, pool, target } from '../../support/sample-config.js';

const passive: PassiveRules = { maxFails: 2, failTimeoutMs: 10_000, endOnProbe: false };

interface Rules {
  readonly outlier?: Partial<OutlierRules>;
  readonly passive?: PassiveRules;
}

/** Targets t0, t1, ... in the slots 0, 1, ...; `out` are the names of those that are ejected. */
function setup(count: number, rules: Rules) {
  const clock = new FakeClock();
  const log = createRecordingLogger();
  const counters = new Map<number, Map<string, number>>();
  let changes = 0;
  const ejector = new Ejector({
    clock,
    log,
    counters: {
      target: (slot) => counters.get(slot) ?? new Map(),
      targetConnectUs: (slot) => counters.get(slot)?.get('connect_us') ?? 0,
    },
    onChange: () => changes++,
  });
  const follow = (given: Rules = rules) => {
    const names = Array.from({ length: count }, (_, slot) => `t${slot}`);
    const made = pool(
      'web',
      names.map((name) => target(name)),
      {
        outlier: given.outlier ? { ...outlier, ...given.outlier } : null,
        passive: given.passive ?? null,
      },
    );
    ejector.follow(
      [made],
      names.map((name, slot) => ({ key: name, pool: 'web', target: name, slot })),
    );
  };
  const add = (slot: number, name: string, amount: number) => {
    const row = counters.get(slot) ?? new Map<string, number>();
    counters.set(slot, row.set(name, (row.get(name) ?? 0) + amount));
  };
  const fail = (slot: number, times = 1) => {
    for (let index = 0; index < times; index++) {
      add(slot, 'connect_refused', 1);
      ejector.connectFailed(slot);
    }
  };
  const succeed = (slot: number, times = 1) => add(slot, 'connections_opened', times);
  const out = () => [...ejector.ejections().keys()];
  follow();
  return { clock, log, ejector, follow, add, fail, succeed, out, changes: () => changes };
}

describe('consecutive failures', () => {
  it('eject a target at once, for longer each time in a row', async () => {
    const { clock, fail, out, log, ejector } = setup(3, { outlier: {} });
    fail(1, 4);
    expect(out()).toEqual([]);
    fail(1);
    expect(out()).toEqual(['t1']);
    expect(ejector.ejections().get('t1')).toMatchObject({
      reason: 'consecutive_failures',
      since: new Date('2030-01-01T00:00:00Z'),
      until: new Date('2030-01-01T00:00:30Z'),
    });
    await clock.advance(29_999);
    expect(out()).toEqual(['t1']);
    await clock.advance(1);
    expect(out()).toEqual([]);
    fail(1, 5);
    await clock.advance(59_999);
    expect(out()).toEqual(['t1']);
    await clock.advance(1001);
    expect(out()).toEqual([]);
    expect(log.of('target_ejected')).toMatchObject([
      { durationMs: 30_000 },
      { durationMs: 60_000 },
    ]);
    expect(log.of('target_returned')).toHaveLength(2);
    ejector.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('are forgiven, one time for each interval that goes well', async () => {
    const { clock, fail, log } = setup(3, { outlier: {} });
    fail(0, 5);
    await clock.advance(30_000);
    await clock.advance(20_000);
    fail(0, 5);
    expect(log.of('target_ejected')).toMatchObject([
      { durationMs: 30_000 },
      { durationMs: 30_000 },
    ]);
  });

  it('are none with a success between them', async () => {
    const { clock, fail, succeed, out } = setup(3, { outlier: {} });
    for (let round = 0; round < 20; round++) {
      fail(0, 4);
      succeed(0);
      await clock.advance(50);
    }
    expect(out()).toEqual([]);
  });

  it('eject no more than the share allows, and never the last', () => {
    const small = setup(2, { outlier: { maxEjectionPercent: 100 } });
    small.fail(0, 5);
    small.fail(1, 50);
    expect(small.out()).toEqual(['t0']);
    const large = setup(10, { outlier: {} });
    for (let slot = 0; slot < 10; slot++) large.fail(slot, 5);
    expect(large.out()).toEqual(['t0']);
  });

  it('of other pools, or under no rule, eject nobody and cost no timer', () => {
    const { clock, fail, out, ejector } = setup(3, {});
    fail(0, 50);
    ejector.connectFailed(77);
    expect(out()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('comparing targets', () => {
  it('ejects at the end of an interval who fails more often than the others', async () => {
    const { clock, add, succeed, out, ejector } = setup(6, { outlier: {} });
    for (let slot = 0; slot < 6; slot++) succeed(slot, 200);
    add(5, 'connect_refused', 100);
    await clock.advance(9999);
    expect(out()).toEqual([]);
    await clock.advance(1);
    expect(ejector.ejections().get('t5')?.reason).toBe('failure_rate');
    // Counted once: the next interval begins with nothing.
    await clock.advance(35_000);
    expect(out()).toEqual([]);
  });

  it('counts connections that a target resets as failures', async () => {
    const { clock, add, succeed, out } = setup(6, { outlier: {} });
    for (let slot = 0; slot < 6; slot++) succeed(slot, 200);
    add(2, 'resets', 150);
    await clock.advance(10_000);
    expect(out()).toEqual(['t2']);
  });

  it('ejects who takes far longer to connect to', async () => {
    const { clock, add, succeed, ejector } = setup(6, { outlier: {} });
    for (let slot = 0; slot < 6; slot++) {
      succeed(slot, 200);
      add(slot, 'connect_us', 200 * (slot === 3 ? 50_000 : 1000 + slot));
    }
    await clock.advance(10_000);
    expect([...ejector.ejections()]).toMatchObject([['t3', { reason: 'latency' }]]);
  });
});

describe('max_fails', () => {
  it('skips a target for fail_timeout, then lets one connection decide', async () => {
    const { clock, fail, succeed, out, log } = setup(3, { passive });
    fail(0, 2);
    expect(out()).toEqual(['t0']);
    await clock.advance(10_000);
    expect(out()).toEqual([]);
    fail(0);
    expect(out()).toEqual(['t0']);
    await clock.advance(11_000);
    expect(out()).toEqual([]);
    succeed(0);
    await clock.advance(1000);
    fail(0);
    expect(out()).toEqual([]);
    expect(log.of('target_ejected')).toMatchObject([
      { reason: 'max_fails', durationMs: 10_000 },
      { reason: 'max_fails', durationMs: 10_000 },
    ]);
  });

  it('sees a success of the trial also just before the next failure', async () => {
    const { clock, fail, succeed, out } = setup(3, { passive });
    fail(0, 2);
    await clock.advance(10_000);
    succeed(0);
    fail(0);
    expect(out()).toEqual([]);
  });

  it('may skip all targets of a pool, as nginx does, but not its only one', () => {
    const two = setup(2, { passive });
    two.fail(0, 2);
    two.fail(1, 2);
    expect(two.out()).toEqual(['t0', 't1']);
    const one = setup(1, { passive });
    one.fail(0, 20);
    expect(one.out()).toEqual([]);
  });
});

describe('a reload', () => {
  it('keeps ejections of targets that stay, and ends them when the rules go', () => {
    const { fail, follow, out, changes } = setup(3, { outlier: {} });
    fail(1, 5);
    expect(changes()).toBe(1);
    follow();
    expect(out()).toEqual(['t1']);
    follow({ outlier: { baseEjectionMs: 1000 } });
    expect(out()).toEqual(['t1']);
    expect(changes()).toBe(1);
    follow({});
    expect(out()).toEqual([]);
    expect(changes()).toBe(2);
  });
});
