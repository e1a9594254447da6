// tiers: the tables of Envoy's documentation by example, the rules behind them by property.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type Level,
  sharesByNumber,
  spreadShares,
  wholeShare,
} from '../../../src/balance/tiers.js';

const envoy = { overprovisioning: 1.4, panicThreshold: 50 };

/** A level of 100 targets, so many of which are available. */
function level(available: number): Level {
  return { available, total: 100, allowed: 100 };
}

/** In whole per cent, as Envoy counts: its tables are rounded down. */
function percents(available: readonly number[], rules = envoy) {
  return spreadShares(available.map(level), rules).map(({ share }) => share / 100);
}

describe('traffic over priorities', () => {
  test.each([
    [
      [100, 100],
      [100, 0],
    ],
    [
      [72, 72],
      [100, 0],
    ],
    [
      [71, 71],
      [99, 1],
    ],
    [
      [50, 60],
      [70, 30],
    ],
    [
      [50, 100],
      [70, 30],
    ],
    [
      [25, 100],
      [35, 65],
    ],
    [
      [0, 100],
      [0, 100],
    ],
    [
      [25, 25],
      [50, 50],
    ],
    [
      [5, 65],
      [7, 93],
    ],
    [
      [100, 100, 100],
      [100, 0, 0],
    ],
    [
      [72, 72, 100],
      [100, 0, 0],
    ],
    [
      [71, 71, 100],
      [99, 1, 0],
    ],
    [
      [50, 50, 100],
      [70, 30, 0],
    ],
    [
      [25, 100, 100],
      [35, 65, 0],
    ],
    [
      [25, 25, 100],
      [35, 35, 30],
    ],
  ])('with %j per cent available is %j per cent', (available, expected) => {
    for (const [index, share] of percents(available).entries()) {
      // Envoy rounds to whole per cent, and so its tables are up to one off.
      expect(Math.abs(share - (expected[index] ?? -1))).toBeLessThan(1);
    }
  });

  it('is exact to a basis point', () => {
    expect(percents([71, 71])).toEqual([99.4, 0.6]);
    expect(percents([50, 50])).toEqual([70, 30]);
    expect(percents([5, 65])).toEqual([7.15, 92.85]);
  });

  it('is nothing when nothing is available or configured', () => {
    expect(spreadShares([level(0), level(0)], envoy)).toEqual([
      { share: 0, panic: false },
      { share: 0, panic: false },
    ]);
    expect(spreadShares([], envoy)).toEqual([]);
    expect(spreadShares([{ available: 0, total: 0, allowed: 0 }], envoy)).toEqual([
      { share: 0, panic: false },
    ]);
  });

  it('stays with the first priority while its targets suffice, however few the others have', () => {
    expect(percents([72, 0])).toEqual([100, 0]);
    expect(percents([100], { overprovisioning: 1, panicThreshold: 0 })).toEqual([100]);
    expect(percents([99, 100], { overprovisioning: 1, panicThreshold: 0 })).toEqual([99, 1]);
  });
});

describe('panic', () => {
  const panics = (available: readonly number[], panicThreshold = 50) =>
    spreadShares(available.map(level), { overprovisioning: 1.4, panicThreshold }).map(
      ({ panic }) => panic,
    );

  test.each([
    [
      [72, 72],
      [false, false],
    ],
    [
      [50, 60],
      [false, false],
    ],
    [
      [25, 100],
      [false, false],
    ],
    [
      [25, 25],
      [true, true],
    ],
    [
      [5, 65],
      [true, false],
    ],
    [[49], [true]],
    [[50], [false]],
  ])('with %j per cent available: %j', (available, expected) => {
    expect(panics(available)).toEqual(expected);
  });

  it('never comes with a threshold of 0', () => {
    expect(panics([1, 1], 0)).toEqual([false, false]);
  });

  it('does not give connections to a priority that has nothing available', () => {
    expect(panics([0, 20])).toEqual([false, true]);
    expect(percents([0, 20])).toEqual([0, 100]);
  });

  it('spreads by the number of targets when nothing at all is available', () => {
    const of = (allowed: number): Level => ({ available: 0, total: 9, allowed });
    expect(sharesByNumber([of(6), of(0), of(3)])).toEqual([
      { share: 6666, panic: true },
      { share: 0, panic: false },
      { share: 3334, panic: true },
    ]);
    expect(sharesByNumber([of(0)])).toEqual([{ share: 0, panic: false }]);
    expect(sharesByNumber([])).toEqual([]);
  });
});

const anyLevel = fc.nat({ max: 40 }).chain((total) =>
  fc.record({
    total: fc.constant(total),
    available: fc.nat({ max: total }),
    allowed: fc.nat({ max: total }),
  }),
);
const anyRules = fc.record({
  overprovisioning: fc.double({ min: 1, max: 10, noNaN: true }),
  panicThreshold: fc.nat({ max: 100 }),
});

describe('any spread', () => {
  it('adds up to the whole, or to nothing when nothing is available', () => {
    fc.assert(
      fc.property(fc.array(anyLevel, { maxLength: 16 }), anyRules, (levels, rules) => {
        for (const shares of [spreadShares(levels, rules), sharesByNumber(levels)]) {
          const sum = shares.reduce((total, { share }) => total + share, 0);
          expect([0, wholeShare]).toContain(sum);
          for (const { share } of shares) {
            expect(Number.isInteger(share) && share >= 0).toBe(true);
          }
        }
        const someAvailable = levels.some(({ available }) => available > 0);
        expect(spreadShares(levels, rules).some(({ share }) => share > 0)).toBe(someAvailable);
      }),
    );
  });

  it('never gives a later priority what an earlier one could have taken', () => {
    fc.assert(
      fc.property(fc.array(anyLevel, { minLength: 2, maxLength: 8 }), anyRules, (levels, rules) => {
        const shares = spreadShares(levels, rules);
        for (const [index, { available, total }] of levels.entries()) {
          const later = shares.slice(index + 1).some(({ share }) => share > 0);
          const capacity = total === 0 ? 0 : (available * rules.overprovisioning) / total;
          // A basis point for the rounding.
          if (later) {
            expect(shares[index]?.share ?? 0).toBeGreaterThanOrEqual(
              Math.min(1, capacity) * wholeShare - 1,
            );
          }
        }
      }),
    );
  });

  it('panics only when all together cannot take the whole', () => {
    fc.assert(
      fc.property(fc.array(anyLevel, { minLength: 1, maxLength: 8 }), anyRules, (levels, rules) => {
        // By more than the rounding of the sum.
        const enough =
          levels.reduce(
            (sum, { available, total }) =>
              sum + (total === 0 ? 0 : Math.min(1, (available * rules.overprovisioning) / total)),
            0,
          ) >
          1 + 1e-9;
        if (enough) expect(spreadShares(levels, rules).some(({ panic }) => panic)).toBe(false);
      }),
    );
  });
});
