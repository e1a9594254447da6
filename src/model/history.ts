// History: what the last hour was like for one listener, pool or target, or for all of them, as a
// series of steps. The body of the admin API's /history.
import type { TargetStanding } from './placement.js';

/** `2m`: steps of a second. `1h`: steps of ten. */
export const historyWindows = ['2m', '1h'] as const;
export type HistoryWindow = (typeof historyWindows)[number];

/** One value per step, oldest first; null: there was none. */
export type Series = readonly (number | null)[];

export interface History {
  readonly subject: string;
  readonly window: HistoryWindow;
  /** When each step ended, in Unix milliseconds. */
  readonly endMs: readonly number[];
  /** Connections and sessions open: the most that was seen in the step. */
  readonly active: Series;
  readonly openedPerSecond: Series;
  readonly toTargetBytesPerSecond: Series;
  readonly toClientBytesPerSecond: Series;
  /** Of a target: connects that failed, resets, ICMP errors. Else: what clients lost by that. */
  readonly errorsPerSecond: Series;
  /** Percentiles of the turns that ended in the step; null without any, and for listeners. */
  readonly p50Ms: Series;
  readonly p95Ms: Series;
  readonly p99Ms: Series;
  /** Targets that may be picked, the fewest in the step; null for listeners and targets. */
  readonly eligible: Series;
  /** Of a target, the gravest of the step; null for all others. */
  readonly standing: readonly (TargetStanding | null)[] | null;
}
