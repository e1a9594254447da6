// outliers: Envoy's numbers by example, the comparing rules by property.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  afterFailure,
  ejectionMs,
  failureRateOutliers,
  latencyOutliers,
  mayEject,
  noFailures,
  type Sample,
} from '../../../src/balance/outliers.js';
import { outlier as rules } from '../../support/sample-config.js';

/** t0, t1, ...: so many failures of 1000 attempts each. */
function rates(...failures: readonly number[]): ReadonlyMap<string, Sample> {
  return new Map(
    failures.map((count, index) => [
      `t${index}`,
      { attempts: 1000, failures: count, connectUs: null },
    ]),
  );
}

/** t0, t1, ...: connects that take so long. */
function times(...us: readonly number[]): ReadonlyMap<string, Sample> {
  return new Map(
    us.map((connectUs, index) => [`t${index}`, { attempts: 1000, failures: 0, connectUs }]),
  );
}

describe('the failure rate', () => {
  it('makes one an outlier that is further from the mean than the others allow', () => {
    expect(failureRateOutliers(rates(0, 0, 0, 0, 333), rules)).toEqual(['t4']);
    // Mean 0.9334, deviation 0.1332: at 2.1 deviations the threshold is 0.6537.
    const laxer = { ...rules, failureRateDeviations: 2.1 };
    expect(failureRateOutliers(rates(0, 0, 0, 0, 333), laxer)).toEqual([]);
  });

  it('finds nobody where all fail alike, all succeed or the rule is off', () => {
    expect(failureRateOutliers(rates(400, 400, 400, 400, 400), rules)).toEqual([]);
    expect(failureRateOutliers(rates(0, 0, 0, 0, 0), rules)).toEqual([]);
    const off = { ...rules, failureRateDeviations: 0 };
    expect(failureRateOutliers(rates(0, 0, 0, 0, 1000), off)).toEqual([]);
  });

  it('compares only targets with enough connections, and only enough targets', () => {
    expect(failureRateOutliers(rates(0, 0, 0, 999), rules)).toEqual([]);
    const quiet = new Map(rates(0, 0, 0, 0, 0));
    quiet.set('t5', { attempts: 99, failures: 99, connectUs: null });
    expect(failureRateOutliers(quiet, rules)).toEqual([]);
    quiet.set('t5', { attempts: 100, failures: 99, connectUs: null });
    expect(failureRateOutliers(quiet, rules)).toEqual(['t5']);
  });

  it('never makes all of them outliers', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1000 }), { minLength: 5, maxLength: 30 }), (failures) => {
        expect(failureRateOutliers(rates(...failures), rules).length).toBeLessThan(failures.length);
      }),
    );
  });
});

describe('the time to connect', () => {
  it('makes one an outlier that is far above the median', () => {
    expect(latencyOutliers(times(1000, 1100, 900, 1050, 9000), rules)).toEqual(['t4']);
  });

  it('is judged by a median that several slow ones cannot hide behind', () => {
    const samples = times(1000, 1100, 900, 1050, 950, 90_000, 80_000);
    expect(latencyOutliers(samples, rules)).toEqual(['t5', 't6']);
  });

  it('forgives what is small, though the others do not differ at all', () => {
    expect(latencyOutliers(times(100, 100, 100, 100, 600), rules)).toEqual([]);
    expect(latencyOutliers(times(100, 100, 100, 100, 701), rules)).toEqual(['t4']);
  });

  it('forgives who is quick', () => {
    expect(latencyOutliers(times(10_000, 10_100, 9900, 10_050, 1), rules)).toEqual([]);
  });

  it('never makes half of them outliers', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1e6 }), { minLength: 5, maxLength: 30 }), (us) => {
        const found = latencyOutliers(times(...us), rules);
        expect(found.length).toBeLessThanOrEqual(us.length / 2);
      }),
    );
  });
});

describe('an ejection', () => {
  test.each([
    [1, 0, 100, false],
    [2, 0, 0, true],
    [2, 1, 100, false],
    [3, 1, 100, true],
    [3, 1, 10, false],
    [20, 1, 10, true],
    [20, 2, 10, false],
    [15, 1, 10, true],
  ])('in a pool of %i with %i out and at most %i per cent: %s', (total, out, percent, may) => {
    expect(mayEject(total, out, percent)).toBe(may);
  });

  it('grows with its number in a row, up to the longest', () => {
    expect([1, 2, 3, 10, 11, 100].map((times) => ejectionMs(rules, times))).toEqual([
      30_000, 60_000, 90_000, 300_000, 300_000, 300_000,
    ]);
  });

  it('leaves at least one target, however many are tried', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 100 }), (total, percent) => {
        let out = 0;
        while (mayEject(total, out, percent)) out++;
        expect(out).toBeLessThan(total);
        expect(out).toBeLessThanOrEqual(Math.max(1, Math.ceil((total * percent) / 100)));
      }),
    );
  });
});

describe('a run of failures', () => {
  it('grows while nothing succeeds, and begins anew when something did', () => {
    let run = noFailures;
    for (const ms of [0, 100, 200]) run = afterFailure(run, 0, ms);
    expect(run.length).toBe(3);
    run = afterFailure(run, 1, 300);
    expect(run.length).toBe(1);
    run = afterFailure(run, 1, 400);
    expect(run.length).toBe(2);
  });

  it('is none where failures and successes come in one batch', () => {
    let run = noFailures;
    for (let index = 0; index < 300; index++) run = afterFailure(run, 600, 1000);
    expect(run.length).toBe(1);
  });
});
