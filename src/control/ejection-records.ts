// EjectionRecord: what of a target's ejections outlives the process, and what is left of it when
// time has passed without anybody who watched. Pure.
import type { Ejection } from '../model/ejection.js';
import type { OutlierRules, PassiveRules } from '../model/pool.js';

export interface EjectionRecord {
  /** null: it is in use, and only its past speaks against it. */
  readonly ejection: Ejection | null;
  /** Ejections in a row, by which the next one is longer. */
  readonly times: number;
  /** It was skipped by `passive`, and no connection has succeeded since. */
  readonly onTrial: boolean;
  /** When all that was true. */
  readonly at: Date;
}

/** By targetKey. */
export type EjectionRecords = ReadonlyMap<string, EjectionRecord>;

interface Rules {
  readonly passive: PassiveRules | null;
  readonly outlier: OutlierRules | null;
}

/**
 * The record as it would be by now: time goes on while no sluice runs. What only rules that are
 * gone had brought about is forgotten, and no ejection is left longer than the rules would make it:
 * a clock that was set back in between must not lengthen it.
 */
export function agedRecord(
  { ejection, times, onTrial, at }: EjectionRecord,
  { passive, outlier }: Rules,
  now: Date,
): EjectionRecord {
  const isPassive = ejection?.reason === 'max_fails';
  const limitMs = (isPassive ? passive?.failTimeoutMs : outlier?.maxEjectionMs) ?? 0;
  const leftMs = ejection === null ? 0 : ejection.until.getTime() - now.getTime();
  const untilMs = now.getTime() + Math.min(leftMs, limitMs);
  const stays = leftMs > 0 && limitMs > 0;
  const quietSinceMs = Math.max(at.getTime(), ejection?.until.getTime() ?? 0);
  const quietMs = Math.max(0, now.getTime() - quietSinceMs);
  const forgiven = outlier === null ? times : Math.floor(quietMs / outlier.intervalMs);
  return {
    ejection: stays && ejection !== null ? { ...ejection, until: new Date(untilMs) } : null,
    times: Math.max(0, times - forgiven),
    onTrial: onTrial && passive !== null,
    at: now,
  };
}
