// Schedule: when the next probe of a target starts, and how long it may take. Pure.
//
// The promise: a target that dies is judged unhealthy within fall x interval, whether its probes
// are refused at once or run into the timeout, so that, with 20 ms to join changes and the time to
// publish a table, it is out of rotation within fall x interval + 100 ms.
// With I = interval, T = timeout, and starts (never ends) as the anchors of all distances:
//   - while all is well the next probe starts at most I after the last start. A target that dies
//     right after a good probe meets its first bad one at most I later;
//   - after a bad probe the next starts at most G later, G = I - T / (fall - 1);
//   - the bad probe number `fall` thus ends at most I + (fall - 1) x G + T = fall x I after death.
// `fast_interval` takes the place of G where it is shorter, which only tightens the bound: the
// probes after the first bad one then start max(F, T) apart. `down_interval` is for targets that
// have been judged; it is the longest time until a target that is back meets its first good probe.
// Probes of one target never overlap, hence T <= G, hence T <= I x (fall - 1) / fall. For fall = 1
// there is no second probe, so the first has to make room: distance I - T, hence T <= I / 2.
// A longer timeout is cut to that. Jitter only shortens a distance, which the promise allows.
import type { CheckBasics } from '../model/health-check.js';
import type { Verdict } from './hysteresis.js';

/** Lateness of a timer up to this is made up for; beyond it the start is the anchor. */
const latenessForgivenMs = 10;

/** The timeout in force: the configured one, cut to what the promise allows. */
export function probeTimeoutMs({ intervalMs, timeoutMs, fall }: CheckBasics): number {
  const share = fall > 1 ? (fall - 1) / fall : 1 / 2;
  return Math.min(timeoutMs, intervalMs * share);
}

/** The longest distance from the start of one probe to the start of the next. */
export function distanceMaxMs(check: CheckBasics, verdict: Verdict): number {
  const { intervalMs, fastIntervalMs, downIntervalMs, fall } = check;
  if (!verdict.decided) return fastIntervalMs;
  if (verdict.health === 'unhealthy') {
    return verdict.consecutiveGood > 0 ? fastIntervalMs : downIntervalMs;
  }
  const timeoutMs = probeTimeoutMs(check);
  if (fall === 1) return intervalMs - timeoutMs;
  if (verdict.consecutiveBad === 0) return intervalMs;
  return Math.min(fastIntervalMs, intervalMs - timeoutMs / (fall - 1));
}

/** Then a new check needs no new due time. */
export function sameDistances(a: CheckBasics, b: CheckBasics): boolean {
  return (
    a.intervalMs === b.intervalMs &&
    a.fastIntervalMs === b.fastIntervalMs &&
    a.downIntervalMs === b.downIntervalMs
  );
}

/** When a probe was due, when it did start, and when it ended. */
export interface ProbeTimes {
  readonly dueMs: number;
  readonly startedMs: number;
  readonly endedMs: number;
}

/** `random` is in [0, 1). Never before the last probe's end. */
export function nextDueMs(
  check: CheckBasics,
  verdict: Verdict,
  times: ProbeTimes,
  random: number,
): number {
  const distanceMs = distanceMaxMs(check, verdict) * (1 - check.jitter * random);
  const anchorMs = Math.max(times.dueMs, times.startedMs - latenessForgivenMs);
  return Math.max(anchorMs + distanceMs, times.endedMs);
}

/** The first probes of `count` new targets are spread over the first interval, each in its part. */
export function firstDueMs(
  check: CheckBasics,
  position: { readonly index: number; readonly count: number },
  nowMs: number,
  random: number,
): number {
  return nowMs + (check.intervalMs * (position.index + random)) / position.count;
}
