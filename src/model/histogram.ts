// Histogram: how often something took so long, or was so much. Pure. The buckets are those of
// `histogram_bucket` in native/shared/histogram.h: four to a power of two, the first four 1 wide.

export interface Histogram {
  readonly buckets: readonly number[];
  readonly sum: number;
}

/** A histogram for people and for Prometheus: how many are below each of some bounds. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  /** Cumulative. */
  readonly below: readonly number[];
}

export const emptyHistogram: Histogram = { buckets: [], sum: 0 };

/** The least that a bucket counts. */
export function bucketStart(index: number): number {
  if (index < 4) return index;
  return 2 ** (Math.floor(index / 4) + 1) * (1 + (index % 4) / 4);
}

/** What has been added since `base`. */
export function histogramSince(now: Histogram, base: Histogram | undefined): Histogram {
  if (base === undefined) return now;
  return {
    buckets: now.buckets.map((count, index) => count - (base.buckets[index] ?? 0)),
    sum: now.sum - base.sum,
  };
}

/**
 * How many are below 2^power for each of `powers`, which rise. `unit`: how much of what was counted
 * makes one of the sum.
 */
export function distribution(
  { buckets, sum }: Histogram,
  powers: readonly number[],
  unit = 1,
): Distribution {
  let count = 0;
  let index = 0;
  const addUpTo = (end: number): number => {
    for (; index < Math.min(end, buckets.length); index++) count += buckets[index] ?? 0;
    return count;
  };
  const below = powers.map((power) => addUpTo(firstBucketOf(power)));
  return { count: addUpTo(buckets.length), sum: sum / unit, below };
}

/** The bucket that begins at 2^power. */
function firstBucketOf(power: number): number {
  return power < 2 ? 2 ** power : (power - 1) * 4;
}
