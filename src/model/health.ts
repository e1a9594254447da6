// Health: what probing a target yields, and the pure rules about it that health and control share.
import type { Endpoint } from './address.js';
import type { HealthCheck } from './health-check.js';
import type { Health, Role } from './target.js';

export type ProbeReason =
  | 'connected'
  | 'answered'
  /** Nothing came back, and that was to be expected. */
  | 'silent'
  | 'refused'
  | 'timed_out'
  | 'unreachable'
  | 'reset'
  /** The target ended the connection in good order before its answer was whole. */
  | 'closed'
  /** It answered, but not what was expected, or more than a probe reads. */
  | 'bad_answer'
  /** No TLS, or none with a certificate that can be trusted. */
  | 'tls_failed'
  /** It says itself that it cannot serve yet, or no longer: it starts, loads, recovers, ends. */
  | 'not_ready'
  /** It does not take the login that is configured for the check. */
  | 'login_failed'
  /** The unix socket's file is missing, or it may not be opened. */
  | 'not_found'
  | 'permission_denied'
  | 'failed'
  /** Our own fault (no descriptor, no source port, no permission): says nothing of a target. */
  | 'local';

/** One try. Never an exception: a target that is down is an expected outcome. */
export interface ProbeResult {
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly reason: ProbeReason;
  readonly facts?: ProbeFacts;
}

/** What a probe learnt beside good or bad. */
export interface ProbeFacts {
  /** One short line for people, such as `HTTP 503`; made by health/answer-text when it quotes. */
  readonly detail?: string;
  /** When the certificate that the target showed expires. */
  readonly certificateExpires?: Date;
  /** What the target says it is, where its protocol knows the difference. */
  readonly role?: Role;
}

/** Why health changed: a probe said so, failed connections did, or the settings changed. */
export type HealthReason =
  | ProbeReason
  | 'connect_failed'
  | 'not_probed'
  /** An earlier process said so, and no probe has ended yet. */
  | 'restored';

/** The reasons of good probes, which need no further word. */
export const goodReasons: ReadonlySet<HealthReason> = new Set(['connected', 'answered', 'silent']);

/** A change of a verdict, as the checker reports it. */
export interface HealthChange {
  readonly pool: string;
  readonly target: string;
  /** Where the probe went: a late report about a previous address can be told apart. */
  readonly endpoint: Endpoint;
  readonly health: Health;
  readonly reason: HealthReason;
  /** Of the probe that decided; null when none did. */
  readonly latencyMs: number | null;
  /** ProbeFacts.detail of the probe that decided; empty when there is none. */
  readonly detail: string;
}

/** What one probe learnt of a target's role. */
export interface RoleReport {
  readonly pool: string;
  readonly target: string;
  readonly endpoint: Endpoint;
  readonly ok: boolean;
  /** null: it did not say, or the probe failed. */
  readonly role: Role | null;
}

/** The last probes of one target, for /status. */
export interface ProbeDetail {
  readonly pool: string;
  readonly target: string;
  readonly endpoint: Endpoint;
  readonly health: Health;
  /** Of the last probe; null before it. */
  readonly reason: HealthReason | null;
  /** Of the last good probe; null before it. */
  readonly latencyMs: number | null;
  /** Of the last probe. */
  readonly facts: ProbeFacts;
  /** When the verdict last changed; null before the first one. */
  readonly since: Date | null;
  readonly consecutiveGood: number;
  readonly consecutiveBad: number;
  readonly probes: number;
  /** Probes that told nothing of the target: this process stood still, or was at fault itself. */
  readonly probesVoid: number;
}

/** What a target is before anything has been measured. One that is not probed stays unknown. */
export function initialHealth(check: HealthCheck): Health {
  return check.kind !== 'none' && check.initial === 'unhealthy' ? 'unhealthy' : 'unknown';
}

/**
 * Health of a target that stays, when its pool's check is replaced. It is kept: a reload must not
 * bring a dead target back. Only where probing begins or ends does it start anew, because a verdict
 * that nothing will ever correct must not stay.
 */
export function healthAfterReload(health: Health, before: HealthCheck, after: HealthCheck): Health {
  const same = before.kind === after.kind || (before.kind !== 'none' && after.kind !== 'none');
  return same ? health : initialHealth(after);
}
