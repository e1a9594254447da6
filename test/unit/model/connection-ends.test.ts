// Histograms as distributions: below each bound is what really is, whatever was counted.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  connectBoundsMs,
  connectionEnds,
  connectTimes,
  durationBoundsMs,
  sizeBoundsBytes,
} from '../../../src/model/connection-ends.js';
import { bucketStart, emptyHistogram, type Histogram } from '../../../src/model/histogram.js';

/** As the workers count; the last bucket takes all that is beyond. */
function counted(values: readonly number[]): Histogram {
  const buckets = Array.from({ length: 124 }, () => 0);
  for (const value of values) {
    let index = 0;
    while (index + 1 < buckets.length && bucketStart(index + 1) <= value) index++;
    buckets[index] = (buckets[index] ?? 0) + 1;
  }
  return { buckets, sum: values.reduce((sum, value) => sum + value, 0) };
}

const anyValues = fc.array(fc.oneof(fc.nat(100), fc.nat(2 ** 31 - 1), fc.nat(2 ** 45)));

describe('distributions', () => {
  it('say of each bound how many were below it, and count and sum them all', () => {
    fc.assert(
      fc.property(anyValues, (values) => {
        const { count, sum, below } = connectTimes(counted(values));
        expect(count).toBe(values.length);
        expect(sum).toBeCloseTo(values.reduce((total, us) => total + us, 0) / 1000);
        for (const [index, ms] of connectBoundsMs.entries()) {
          expect(below[index]).toBe(values.filter((us) => us < ms * 1000).length);
        }
      }),
    );
  });

  it('are three for the ends of a listener, from a millisecond and from 64 bytes on', () => {
    const ends = connectionEnds({
      durationMs: counted([0, 1, 70_000]),
      toTargetBytes: counted([63, 64, 2 ** 40]),
      toClientBytes: emptyHistogram,
    });
    expect(ends.durationMs).toMatchObject({ count: 3, sum: 70_001 });
    expect(ends.durationMs.below[durationBoundsMs.indexOf(1)]).toBe(1);
    expect(ends.durationMs.below[durationBoundsMs.indexOf(65_536)]).toBe(2);
    expect(ends.durationMs.below.at(-1)).toBe(3);
    expect(ends.toTargetBytes.below[sizeBoundsBytes.indexOf(64)]).toBe(1);
    expect(ends.toTargetBytes.below.at(-1)).toBe(2);
    expect(ends.toClientBytes).toMatchObject({ count: 0, sum: 0 });
    expect(ends.toClientBytes.below).toHaveLength(sizeBoundsBytes.length);
  });
});
