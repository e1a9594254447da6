// outliers: which targets of a pool behave unlike the others, and for how long they are ejected.
// Envoy's outlier detection, for what a layer-4 balancer sees: connects that fail, connections that
// targets reset, the time that a connect takes. Pure: numbers in, verdicts out.
import type { OutlierRules } from '../model/pool.js';

/** What one target did since the last look. */
export interface Sample {
  /** Connects that succeeded, and those that failed through no fault of ours. */
  readonly attempts: number;
  /** Failed connects and connections that the target reset. */
  readonly failures: number;
  /** Mean time of successful connects; null without one. */
  readonly connectUs: number | null;
}

type Samples = ReadonlyMap<string, Sample>;

/** Those whose success rate is below mean - deviations x standard deviation, as in Envoy. */
export function failureRateOutliers(samples: Samples, rules: OutlierRules): readonly string[] {
  if (rules.failureRateDeviations === 0) return [];
  const rates = [...samples]
    .filter(([, { attempts }]) => attempts >= rules.minConnections)
    .map(([key, { attempts, failures }]): readonly [string, number] => {
      return [key, Math.max(0, 1 - failures / attempts)];
    });
  if (rates.length < rules.minTargets) return [];
  const mean = sum(rates.map(([, rate]) => rate)) / rates.length;
  const variance = sum(rates.map(([, rate]) => (rate - mean) ** 2)) / rates.length;
  const threshold = mean - rules.failureRateDeviations * Math.sqrt(variance);
  return rates.flatMap(([key, rate]) => (rate < threshold ? [key] : []));
}

/** The MAD of a normal distribution is 0.6745 of its standard deviation. */
const deviationsPerMad = 1 / 0.6745;
/** Among targets that differ by microseconds, being 0.1 ms slower is no fault. */
const leastDeviationShare = 0.05;
const leastDeviationUs = 100;

/**
 * Those whose connects take longer than median + deviations x MAD / 0.6745. Median and MAD (median
 * of the absolute deviations), because one very slow target would raise mean and deviation so much
 * that it hides itself.
 */
export function latencyOutliers(samples: Samples, rules: OutlierRules): readonly string[] {
  if (rules.latencyDeviations === 0) return [];
  const times = [...samples].flatMap(([key, { attempts, failures, connectUs }]) =>
    connectUs !== null && attempts - failures >= rules.minConnections ? [{ key, connectUs }] : [],
  );
  if (times.length < rules.minTargets) return [];
  const middle = median(times.map(({ connectUs }) => connectUs));
  const mad = median(times.map(({ connectUs }) => Math.abs(connectUs - middle)));
  const deviation = Math.max(
    mad * deviationsPerMad,
    middle * leastDeviationShare,
    leastDeviationUs,
  );
  const threshold = middle + rules.latencyDeviations * deviation;
  return times.flatMap(({ key, connectUs }) => (connectUs > threshold ? [key] : []));
}

/** Envoy's: the share that is out already decides, so one may always go; but never the last. */
export function mayEject(total: number, ejected: number, maxPercent: number): boolean {
  if (ejected + 1 >= total) return false;
  return ejected === 0 || ejected * 100 < total * maxPercent;
}

/** Grows with every ejection in a row. */
export function ejectionMs(rules: OutlierRules, timesInRow: number): number {
  return Math.min(rules.baseEjectionMs * timesInRow, rules.maxEjectionMs);
}

/** Failures of one target without a success between them. */
export interface FailureRun {
  readonly length: number;
  /** Successes of the target up to the last failure. */
  readonly successes: number;
  /** When a failure came together with successes; null once a failure came without. */
  readonly mixedMs: number | null;
}

export const noFailures: FailureRun = { length: 0, successes: 0, mixedMs: null };

/**
 * Failures are reported in batches, successes are only counted: of what comes within this time the
 * order is not known, and then it is not a run.
 */
const batchMs = 10;

export function afterFailure(run: FailureRun, successes: number, nowMs: number): FailureRun {
  if (successes !== run.successes) return { length: 1, successes, mixedMs: nowMs };
  if (run.mixedMs !== null && nowMs - run.mixedMs < batchMs) return run;
  return { length: run.length + 1, successes, mixedMs: null };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
