// Ejector over a restart, and ejections that a probe ends.
import { describe, expect, it } from 'vitest';
import type { EjectionRecords } from '../../../src/control/ejection-records.js';
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

/** Targets t0, t1, ... in the slots 0, 1, ...; after what an earlier process had known. */
function setup(rules: Rules, restored: EjectionRecords = new Map(), clock = new FakeClock()) {
  const log = createRecordingLogger();
  const counters = new Map<number, Map<string, number>>();
  let changes = 0;
  const ejector = new Ejector({
    clock,
    log,
    counters: { target: (slot) => counters.get(slot) ?? new Map(), targetConnectUs: () => 0 },
    onChange: () => changes++,
  });
  const names = ['t0', 't1', 't2'];
  const made = pool(
    'web',
    names.map((name) => target(name)),
    {
      outlier: rules.outlier ? { ...outlier, ...rules.outlier } : null,
      passive: rules.passive ?? null,
    },
  );
  const follow = (count = names.length) =>
    ejector.follow(
      [made],
      names.slice(0, count).map((name, slot) => ({ key: name, pool: 'web', target: name, slot })),
    );
  const fail = (slot: number, times = 1) => {
    for (let index = 0; index < times; index++) ejector.connectFailed(slot);
  };
  const succeed = (slot: number) => counters.set(slot, new Map([['connections_opened', 1]]));
  const out = () => [...ejector.ejections().keys()];
  ejector.restore(restored);
  return { clock, log, ejector, follow, fail, succeed, out, changes: () => changes };
}

describe('ejections after a restart', () => {
  it('are there before the first table, and end when they would have', async () => {
    const first = setup({ outlier: {} });
    first.follow();
    first.fail(1, 5);
    await first.clock.advance(10_000);
    const second = setup({ outlier: {} }, first.ejector.records(), first.clock);
    expect(second.out()).toEqual(['t1']);
    second.follow();
    expect(second.ejector.ejections().get('t1')).toMatchObject({
      reason: 'consecutive_failures',
      since: new Date('2030-01-01T00:00:00Z'),
      until: new Date('2030-01-01T00:00:30Z'),
    });
    expect(second.changes()).toBe(0);
    await second.clock.advance(19_999);
    expect(second.out()).toEqual(['t1']);
    await second.clock.advance(1001);
    expect(second.out()).toEqual([]);
    expect(second.log.of('target_returned')).toHaveLength(1);
  });

  it('in a row still make the next one longer', async () => {
    const first = setup({ outlier: {} });
    first.follow();
    first.fail(1, 5);
    await first.clock.advance(30_000);
    const second = setup({ outlier: {} }, first.ejector.records(), first.clock);
    second.follow();
    second.fail(1, 5);
    expect(second.log.of('target_ejected')).toMatchObject([{ durationMs: 60_000 }]);
  });

  it('leave a target on its trial: one more failure is enough', async () => {
    const first = setup({ passive });
    first.follow();
    first.fail(0, 2);
    await first.clock.advance(10_000);
    const second = setup({ passive }, first.ejector.records(), first.clock);
    second.follow();
    expect(second.out()).toEqual([]);
    second.fail(0);
    expect(second.out()).toEqual(['t0']);
    const third = setup({ passive }, first.ejector.records(), first.clock);
    third.follow();
    third.succeed(0);
    await third.clock.advance(1000);
    third.fail(0);
    expect(third.out()).toEqual([]);
  });

  it('do not take the last target of a pool that has become smaller', () => {
    const first = setup({ outlier: { maxEjectionPercent: 100 } });
    first.follow();
    first.fail(0, 5);
    first.fail(1, 5);
    expect(first.out()).toEqual(['t0', 't1']);
    const second = setup(
      { outlier: { maxEjectionPercent: 100 } },
      first.ejector.records(),
      first.clock,
    );
    second.follow(2);
    expect(second.out()).toEqual(['t0']);
  });

  it('wait for a target whose name is not resolved yet, and are saved again meanwhile', () => {
    const first = setup({ outlier: {} });
    first.follow();
    first.fail(2, 5);
    const second = setup({ outlier: {} }, first.ejector.records(), first.clock);
    second.follow(2);
    expect(second.out()).toEqual([]);
    expect(second.ejector.records()).toEqual(first.ejector.records());
    second.follow(3);
    expect(second.out()).toEqual(['t2']);
  });

  it('are no record where nothing speaks against a target', () => {
    const { ejector, follow } = setup({ outlier: {}, passive });
    follow();
    expect(ejector.records().size).toBe(0);
  });
});

describe('a passing probe', () => {
  const endOnProbe = true;

  it('ends an ejection at once where the rules say so, and clears what was counted', async () => {
    const { clock, ejector, follow, fail, out, log, changes } = setup({ outlier: { endOnProbe } });
    follow();
    fail(1, 5);
    await clock.advance(1);
    const before = changes();
    ejector.probePassed('t1', 'web', clock.nowMs());
    expect(out()).toEqual([]);
    expect(changes()).toBe(before + 1);
    expect(log.of('target_returned')).toMatchObject([{ reason: 'consecutive_failures' }]);
    fail(1, 4);
    expect(out()).toEqual([]);
    fail(1);
    expect(log.of('target_ejected')).toMatchObject([
      { durationMs: 30_000 },
      { durationMs: 30_000 },
    ]);
  });

  it('ends none when it began before, or when the rules do not say so', async () => {
    const { clock, ejector, follow, fail, out } = setup({ outlier: { endOnProbe } });
    follow();
    await clock.advance(100);
    fail(1, 5);
    ejector.probePassed('t1', 'web', clock.nowMs() - 1);
    ejector.probePassed('t0', 'web', clock.nowMs());
    ejector.probePassed('t1', 'other', clock.nowMs());
    expect(out()).toEqual(['t1']);
    const patient = setup({ outlier: {} });
    patient.follow();
    patient.fail(1, 5);
    patient.ejector.probePassed('t1', 'web', patient.clock.nowMs());
    expect(patient.out()).toEqual(['t1']);
  });

  it('ends what passive has made by the rules of passive, trial included', () => {
    const rules = { passive: { ...passive, endOnProbe }, outlier: {} };
    const { clock, ejector, follow, fail, out } = setup(rules);
    follow();
    fail(0, 2);
    expect(out()).toEqual(['t0']);
    ejector.probePassed('t0', 'web', clock.nowMs());
    expect(out()).toEqual([]);
    fail(0);
    expect(out()).toEqual([]);
  });
});
