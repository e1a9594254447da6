// Hysteresis: from single results to a verdict. Pure: a verdict and one result give the next one.
import { initialHealth } from '../model/health.js';
import type { HealthCheck } from '../model/health-check.js';
import type { Health } from '../model/target.js';

export interface Verdict {
  readonly health: Health;
  /** False until the first probe since the start, or since a pause: that one decides. */
  readonly decided: boolean;
  /** Results of one kind in a row; one of the two is always 0. */
  readonly consecutiveGood: number;
  readonly consecutiveBad: number;
  /** A passive failure has been counted since the last probe. */
  readonly passiveCounted: boolean;
}

type Thresholds = Pick<HealthCheck, 'rise' | 'fall'>;

export function initialVerdict(check: HealthCheck): Verdict {
  return undecided(initialHealth(check));
}

/**
 * A verdict that is too old to be trusted, or only assumed. It stands, but one probe replaces it:
 * at a start neither a live target should wait for `rise` nor a dead one get connections until
 * `fall` (as HAProxy's `init-state up` and `down`).
 */
export function undecided(health: Health): Verdict {
  return { health, decided: false, consecutiveGood: 0, consecutiveBad: 0, passiveCounted: false };
}

/** `rise` good probes in a row make a target healthy, `fall` bad ones unhealthy. */
export function afterProbe(verdict: Verdict, ok: boolean, { rise, fall }: Thresholds): Verdict {
  const consecutiveGood = ok ? verdict.consecutiveGood + 1 : 0;
  const consecutiveBad = ok ? 0 : verdict.consecutiveBad + 1;
  const counts = { decided: true, consecutiveGood, consecutiveBad, passiveCounted: false };
  if (!verdict.decided) return { ...counts, health: ok ? 'healthy' : 'unhealthy' };
  if (consecutiveGood >= rise) return { ...counts, health: 'healthy' };
  if (consecutiveBad >= fall) return { ...counts, health: 'unhealthy' };
  return { ...counts, health: verdict.health };
}

/**
 * A connection of a client could not be made. It counts like one failed probe, with two limits,
 * because only failures are reported, never the thousands of successes between them:
 * - at most one counts between two probes, so that a good probe clears it and a busy target that
 *   loses one connection in a million stays;
 * - it is never the first to decide.
 * A pool that is not probed is never judged by it: nothing would bring the target back.
 */
export function afterPassiveFailure(verdict: Verdict, check: HealthCheck): Verdict {
  if (check.kind === 'none' || verdict.passiveCounted) return verdict;
  const consecutiveBad = verdict.consecutiveBad + 1;
  const falls = verdict.decided && consecutiveBad >= check.fall;
  return {
    ...verdict,
    consecutiveGood: 0,
    consecutiveBad,
    passiveCounted: true,
    health: falls ? 'unhealthy' : verdict.health,
  };
}
