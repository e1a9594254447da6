// Response times: what a histogram of turns, from a client's last byte to the target's first one,
// says. Pure.
import { bucketStart, distribution, type Histogram } from './histogram.js';

export interface ResponseTimes {
  /** Turns that were measured: a client's last byte, then the target's first. */
  readonly turns: number;
  /** Peak-sensitive mean: what policies see. Of connects before any turn; null before those. */
  readonly recentMs: number | null;
  readonly sumMs: number;
  /** Percentiles of the measured turns, exact to a quarter; null before the first. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Cumulative: turns that took less than each of `responseBoundsMs`. */
  readonly below: readonly number[];
}

/** Powers of two, so that each is the edge of a bucket: 32 us to 34 s. */
const boundPowers = Array.from({ length: 21 }, (_, index) => index + 5);
export const responseBoundsMs: readonly number[] = boundPowers.map((power) => 2 ** power / 1000);

/**
 * Of buckets of microseconds that hold `total` turns, in milliseconds: within the bucket as if its
 * turns were spread evenly; null without any.
 */
export function quantileOf(
  buckets: ArrayLike<number>,
  total: number,
  share: number,
): number | null {
  if (total === 0) return null;
  const wanted = total * share;
  let before = 0;
  for (let index = 0; index < buckets.length; index++) {
    const count = buckets[index] ?? 0;
    if (count > 0 && before + count >= wanted) {
      const start = bucketStart(index);
      const within = (wanted - before) / count;
      return (start + within * (bucketStart(index + 1) - start)) / 1000;
    }
    before += count;
  }
  return null;
}

/** Of a histogram of microseconds. */
export function responseTimes(histogram: Histogram, recentUs: number): ResponseTimes {
  const { count, sum, below } = distribution(histogram, boundPowers, 1000);
  return {
    turns: count,
    recentMs: recentUs === 0 ? null : recentUs / 1000,
    sumMs: sum,
    p50Ms: quantileOf(histogram.buckets, count, 0.5),
    p95Ms: quantileOf(histogram.buckets, count, 0.95),
    p99Ms: quantileOf(histogram.buckets, count, 0.99),
    below,
  };
}
