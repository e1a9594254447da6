// A health check: how the targets of a pool are asked whether they work. One form per kind; what a
// kind needs beside the common part stands in a section that is named as in the file.
import { isDeepStrictEqual } from 'node:util';

/** What every kind has. */
export interface CheckBasics {
  /** Time from probe to probe while all is well. */
  readonly intervalMs: number;
  /** The same while a verdict is in doubt: not reached yet, or contradicted by the last probe. */
  readonly fastIntervalMs: number;
  /** The same while a target is down and nothing speaks for a return. */
  readonly downIntervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive good probes that make an unhealthy target healthy. */
  readonly rise: number;
  /** Consecutive bad probes that make a healthy target unhealthy. */
  readonly fall: number;
  /** 0..0.5: each interval is shortened at random by up to this share; never lengthened. */
  readonly jitter: number;
  /** What a target counts as before its first verdict. */
  readonly initial: 'healthy' | 'unhealthy';
  /** Port to ask at instead of the target's own; 0 = the target's own. */
  readonly port: number;
}

/** Kind to the sections of its own. */
interface Sections {
  none: object;
  tcp: object;
  ping: object;
  memcached: object;
}

export type ProbeKind = keyof Sections;
/** The kinds that probe. */
export type ActiveProbeKind = Exclude<ProbeKind, 'none'>;

export type CheckOf<Kind extends ProbeKind> = {
  [Each in Kind]: CheckBasics & { readonly kind: Each } & Sections[Each];
}[Kind];
export type HealthCheck = CheckOf<ProbeKind>;
export type ActiveCheck = CheckOf<ActiveProbeKind>;

/** The kinds in the order of the documentation. */
export const probeKinds = ['tcp', 'ping', 'memcached', 'none'] as const satisfies ProbeKind[];

/** Do both ask the same, however often? Then a result of one is one of the other. */
export function asksTheSame(a: ActiveCheck, b: ActiveCheck): boolean {
  return isDeepStrictEqual(questionOf(a), questionOf(b));
}

function questionOf(check: ActiveCheck): object {
  const { intervalMs, fastIntervalMs, downIntervalMs, timeoutMs, ...rest } = check;
  const { rise, fall, jitter, initial, ...question } = rest;
  return question;
}
