// Overview: all listeners, pools and targets with what their last second was like, in as few words
// as thousands of targets allow. The body of the admin API's /overview.
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

export interface Overview {
  readonly total: Rates;
  readonly listeners: readonly (Omit<PlacedListener, 'slot'> & Rates)[];
  readonly pools: readonly (Omit<PlacedPool, 'targets'> &
    Rates & { readonly targets: readonly (Omit<PlacedTarget, 'slot'> & Rates)[] })[];
}
