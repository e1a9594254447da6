// Overview: all listeners, pools and targets with what their last second was like, in as few words
// as thousands of targets allow.
import type { PlacedListener, PlacedPool, PlacedTarget } from './placement.js';

/** Of the last step of a second; null where none is kept (see HistoryKeeper), or none has been. */
export interface Rates {
  /** Connections and sessions open. */
  readonly active: number | null;
  readonly openedPerSecond: number | null;
  readonly toTargetBytesPerSecond: number | null;
  readonly toClientBytesPerSecond: number | null;
  readonly errorsPerSecond: number | null;
  /** Response times; null without a turn in that second, and for listeners. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export const noRates: Rates = {
  active: null,
  openedPerSecond: null,
  toTargetBytesPerSecond: null,
  toClientBytesPerSecond: null,
  errorsPerSecond: null,
  p50Ms: null,
  p95Ms: null,
  p99Ms: null,
};

export type ListenerOverview = Omit<PlacedListener, 'slot'> & Rates;
export type TargetOverview = Omit<PlacedTarget, 'slot'> & Rates;
export type PoolOverview = Omit<PlacedPool, 'targets'> &
  Rates & { readonly targets: readonly TargetOverview[] };

export interface Overview {
  readonly total: Rates;
  readonly listeners: readonly ListenerOverview[];
  readonly pools: readonly PoolOverview[];
}

/** The same, and what is to be known of sluice as a whole. */
export interface OverviewAnswer extends Overview {
  readonly version: string;
  readonly ready: boolean;
  /** What is missing to be ready. */
  readonly missing: readonly string[];
  /** The last reload found the file to be of no use. */
  readonly fileRefused: boolean;
}
