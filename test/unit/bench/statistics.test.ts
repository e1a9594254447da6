// Statistics of the bench: medians, ratios within rounds, rotation.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, ratios, rotated, spread } from '../../../bench/report/statistics.mjs';

// What is measured: far from where the sum of two values overflows.
const finite = fc.double({ noNaN: true, min: -1e12, max: 1e12 });

describe('median', () => {
  it('is the middle of an odd number of values', () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  it('is between the two in the middle of an even number', () => {
    expect(median([4, 1, 2, 100])).toBe(3);
  });

  it('has as many values below it as above it', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 30 }), (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  it('refuses to be asked of nothing', () => {
    expect(() => median([])).toThrow('nothing');
  });
});

describe('spread', () => {
  it('names the lowest, the middle and the highest', () => {
    expect(spread([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
  });

  it('is null of nothing', () => {
    expect(spread([])).toBeNull();
  });
});

describe('ratios', () => {
  it('divides only within a round', () => {
    const own = new Map([
      [0, 10],
      [1, 30],
      [2, 50],
    ]);
    const other = new Map([
      [0, 5],
      [2, 10],
    ]);
    expect(ratios(own, other)).toEqual([2, 5]);
  });

  it('leaves out a divisor of zero', () => {
    expect(ratios(new Map([[0, 1]]), new Map([[0, 0]]))).toEqual([]);
  });
});

describe('rotated', () => {
  it('begins with another one in every turn and loses none', () => {
    expect([0, 1, 2, 3].map((turn) => rotated(['a', 'b', 'c'], turn).join(''))).toEqual([
      'abc',
      'bca',
      'cab',
      'abc',
    ]);
  });

  it('leaves nothing as it is', () => {
    expect(rotated([], 3)).toEqual([]);
  });
});
