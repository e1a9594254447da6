// A drain: the end of a target's connections and sessions, gently: first by themselves, from a
// deadline on little by little.

export interface DrainRules {
  /** For how long they may end by themselves; null: for ever. */
  readonly deadlineMs: number | null;
  /** What is left then is closed evenly over this time; 0: at once. */
  readonly closeOverMs: number;
}

/** An operator asked for it; or the target went down in a pool with `on_down: drain`. */
export type DrainCause = 'operator' | 'down';

/** `waiting` until the deadline; `finished`: nothing was left, whatever may have come since. */
export type DrainPhase = 'waiting' | 'closing' | 'finished';

/**
 * How a drain ended. `drained`: all by themselves; `closed`: some had to be closed; `cancelled`:
 * the target is in use again; `removed`: it is not configured any more, and its connections end
 * as those of removed targets do; `stopped`: sluice itself stops.
 */
export type DrainResult = 'drained' | 'closed' | 'cancelled' | 'removed' | 'stopped';

export interface DrainOutcome {
  readonly result: DrainResult;
  /** Connections and sessions that were closed. */
  readonly closed: number;
  /** Still open. */
  readonly active: number;
  readonly durationMs: number;
}

/** One that was over before it had begun. */
export function endedDrain(result: DrainResult): { readonly finished: Promise<DrainOutcome> } {
  return { finished: Promise.resolve({ result, closed: 0, active: 0, durationMs: 0 }) };
}
