// Response times: what a histogram of turns says. Pure. The buckets are those of `response_bucket`
// in native/shared/counters.h: four to a power of two, the first four a microsecond each.

/** Turns by bucket, and the sum of what they took. */
export interface ResponseHistogram {
  readonly buckets: readonly number[];
  readonly sumUs: number;
}

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

/** The first microsecond of a bucket. */
export function bucketStartUs(index: number): number {
  if (index < 4) return index;
  return 2 ** (Math.floor(index / 4) + 1) * (1 + (index % 4) / 4);
}

/** What has been added since `base`. */
export function responsesSince(
  now: ResponseHistogram,
  base: ResponseHistogram | undefined,
): ResponseHistogram {
  if (base === undefined) return now;
  return {
    buckets: now.buckets.map((count, index) => count - (base.buckets[index] ?? 0)),
    sumUs: now.sumUs - base.sumUs,
  };
}

/** In milliseconds, within the bucket as if its turns were spread evenly; null without any. */
export function quantileMs({ buckets }: ResponseHistogram, share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  return quantileOf(buckets, total, share);
}

/** The same of buckets that hold `total` turns. */
export function quantileOf(
  buckets: ArrayLike<number>,
  total: number,
  share: number,
): number | null {
  const wanted = total * share;
  let before = 0;
  for (let index = 0; index < buckets.length; index++) {
    const count = buckets[index] ?? 0;
    if (count > 0 && before + count >= wanted) {
      const start = bucketStartUs(index);
      const within = (wanted - before) / count;
      return (start + within * (bucketStartUs(index + 1) - start)) / 1000;
    }
    before += count;
  }
  return null;
}

export function responseTimes(histogram: ResponseHistogram, recentUs: number): ResponseTimes {
  const { buckets, sumUs } = histogram;
  let turns = 0;
  const below = boundPowers.map(() => 0);
  for (const [index, count] of buckets.entries()) {
    turns += count;
    if (count === 0) continue;
    const end = bucketStartUs(index + 1);
    for (const [bound, power] of boundPowers.entries()) {
      if (end <= 2 ** power) below[bound] = (below[bound] ?? 0) + count;
    }
  }
  return {
    turns,
    recentMs: recentUs === 0 ? null : recentUs / 1000,
    sumMs: sumUs / 1000,
    p50Ms: quantileMs(histogram, 0.5),
    p95Ms: quantileMs(histogram, 0.95),
    p99Ms: quantileMs(histogram, 0.99),
    below,
  };
}
