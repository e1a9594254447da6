// passive-failures: max_fails and fail_timeout, as nginx's stream module has them. So many failed
// connects within the time, and the target is skipped for the same time. Then connections are its
// trial: one that succeeds clears the failures, one that fails begins the time anew.
import type { PassiveRules } from '../model/pool.js';

export interface PassiveState {
  /** When the failures within fail_timeout happened, the oldest first; at most max_fails. */
  readonly failuresMs: readonly number[];
  /** It was skipped, and no connection has succeeded since. */
  readonly onTrial: boolean;
}

export const noPassiveFailures: PassiveState = { failuresMs: [], onTrial: false };

export interface PassiveVerdict {
  readonly state: PassiveState;
  /** Skip it from now on for fail_timeout. */
  readonly skip: boolean;
}

export function afterPassiveFailure(
  { failuresMs, onTrial }: PassiveState,
  { maxFails, failTimeoutMs }: PassiveRules,
  nowMs: number,
): PassiveVerdict {
  const recent = [...failuresMs.filter((ms) => nowMs - ms < failTimeoutMs), nowMs];
  const skip = onTrial || recent.length >= maxFails;
  return { skip, state: { failuresMs: recent.slice(-maxFails), onTrial: skip } };
}

/** Only the trial makes a success count, as in nginx: until then the time alone forgets. */
export function afterPassiveSuccess(state: PassiveState): PassiveState {
  return state.onTrial ? noPassiveFailures : state;
}
