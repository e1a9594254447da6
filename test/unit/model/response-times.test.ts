// What a histogram of turns says: percentiles, cumulative counts, differences.
import { describe, expect, it } from 'vitest';
import {
  bucketStart,
  emptyHistogram,
  type Histogram,
  histogramSince,
} from '../../../src/model/histogram.js';
import { quantileOf, responseBoundsMs, responseTimes } from '../../../src/model/response-times.js';

const buckets = 124;

function bucketOf(us: number): number {
  let index = 0;
  while (index + 1 < buckets && bucketStart(index + 1) <= us) index++;
  return index;
}

function histogramOf(times: readonly number[]): Histogram {
  const counts = Array.from({ length: buckets }, () => 0);
  for (const us of times) {
    const index = bucketOf(us);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return { buckets: counts, sum: times.reduce((sum, us) => sum + us, 0) };
}

describe('response times', () => {
  it('have percentiles within a quarter of the true ones', () => {
    // 1 us to 5 s, evenly on a logarithmic scale.
    const times = Array.from({ length: 2000 }, (_, i) => Math.floor(5_000_000 ** (i / 1999)));
    const said = responseTimes(histogramOf(times), 0);
    const exact = (share: number) => (times[Math.ceil(share * times.length) - 1] ?? 0) / 1000;
    for (const [got, share] of [
      [said.p50Ms, 0.5],
      [said.p95Ms, 0.95],
      [said.p99Ms, 0.99],
    ] as const) {
      expect(got).toBeGreaterThan(exact(share) * 0.79);
      expect(got).toBeLessThan(exact(share) * 1.26);
    }
    expect(said.turns).toBe(2000);
  });

  it('count turns below each bound, and all of them only at the end', () => {
    const said = responseTimes(histogramOf([3, 31, 32, 1000, 40_000_000]), 250);
    const below = (ms: number) => said.below[responseBoundsMs.indexOf(ms)];
    expect(below(0.032)).toBe(2);
    expect(below(0.064)).toBe(3);
    expect(below(1.024)).toBe(4);
    expect(said.below.at(-1)).toBe(4);
    expect(said.turns).toBe(5);
    expect(said.recentMs).toBe(0.25);
    expect(said.sumMs).toBeCloseTo(40_001.066);
  });

  it('are not known before the first turn', () => {
    const none = responseTimes(emptyHistogram, 0);
    expect(none).toMatchObject({ turns: 0, recentMs: null, p50Ms: null, p99Ms: null });
    expect(none.below.every((count) => count === 0)).toBe(true);
  });

  it('leave out what the slot had counted before its present owner', () => {
    const before = histogramOf([10, 10, 5000]);
    const now = histogramOf([10, 10, 5000, 10, 700]);
    expect(histogramSince(now, before)).toEqual(histogramOf([10, 700]));
    expect(histogramSince(now, undefined)).toBe(now);
  });

  it('put a median of equal times into their bucket', () => {
    const median = quantileOf(histogramOf([100, 100, 100]).buckets, 3, 0.5) ?? 0;
    expect(median).toBeGreaterThanOrEqual(0.096);
    expect(median).toBeLessThanOrEqual(0.112);
  });
});
