// Every log event: its name, its fields and its level, in this one place. A field's unit is the
// last word of its name; an event is a fact in the past tense, never a sentence.
import type { DrainResult } from '../model/drain.js';
import type { EjectionReason } from '../model/ejection.js';
import type { AdminState, Health } from '../model/target.js';

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** What a slot belongs to, in events about connections. */
export type Owner = 'listener' | 'target';

export interface AccessFields {
  readonly listener: string;
  /** Empty: no target was reached. */
  readonly pool: string;
  readonly target: string;
  /** Empty for a client on a unix socket. */
  readonly clientIp: string;
  readonly clientPort: number;
  readonly connectUs: number;
  /** For a place at a target, or for a target; 0 of a session. */
  readonly waitedMs: number;
  /** Targets that ended it before their first byte and were replaced; 0 of a session. */
  readonly replays: number;
  readonly durationMs: number;
  readonly toTargetBytes: number;
  readonly toClientBytes: number;
  /** A close reason, as in sluice_listener_closed_total. */
  readonly reason: string;
}

export interface EventFields {
  /** A verdict changed; `reason` is that of the probe that decided. */
  readonly target_health_changed: {
    readonly pool: string;
    readonly target: string;
    readonly address: string;
    readonly health: Health;
    readonly reason: string;
    readonly latencyMs: number | null;
    /** What the probe saw, such as `HTTP 503`; empty when there is no more to say. */
    readonly detail: string;
  };
  /** Its connections failed by a rule of its pool: it gets none for a while. */
  readonly target_ejected: {
    readonly pool: string;
    readonly target: string;
    readonly reason: EjectionReason;
    readonly durationMs: number;
  };
  /** The time of its ejection is over. */
  readonly target_returned: {
    readonly pool: string;
    readonly target: string;
    readonly reason: EjectionReason;
  };
  /** All that the agent beside a target has said so far; null: nothing of that sort. */
  readonly target_agent_changed: {
    readonly pool: string;
    readonly target: string;
    /** As `75%`, or a number in place of the configured weight. */
    readonly weight: string | null;
    readonly maxConnections: number | null;
    readonly adminState: AdminState | null;
    readonly up: boolean | null;
  };
  /** New connections of a pool with `role: primary` go to another target. */
  readonly primary_changed: {
    readonly pool: string;
    readonly target: string;
    /** Its connections are cut. Empty: the first since the start. */
    readonly previous: string;
  };
  /** Two targets say that they are the primary, both confirmed; the present one is kept. */
  readonly split_brain: { readonly pool: string; readonly kept: string; readonly other: string };
  readonly target_admin_state_changed: {
    readonly pool: string;
    readonly target: string;
    readonly adminState: AdminState;
  };
  /** Connections now go to another address of this name; those to the previous one drain. */
  readonly target_address_changed: {
    readonly host: string;
    readonly address: string;
    /** Empty: the first answer. */
    readonly previous: string;
  };
  /** Logged once per outage of a name. `kept` is the address that stays in use; empty: none. */
  readonly name_unresolved: {
    readonly host: string;
    readonly reason: string;
    readonly kept: string;
  };
  /** Probes that log in count neither way. Logged once until the file can be read again. */
  readonly password_file_unreadable: { readonly file: string; readonly reason: string };
  readonly password_file_readable: { readonly file: string };
  readonly name_resolved: { readonly host: string; readonly address: string };
  readonly table_applied: {
    readonly generation: number;
    readonly listeners: number;
    readonly pools: number;
    readonly targets: number;
    readonly durationMs: number;
  };
  /** The engine refused a table; it works on with the previous one. */
  readonly table_rejected: {
    readonly generation: number;
    readonly reason: string;
    readonly listener: string;
    readonly address: string;
    readonly error: string;
    /** When the control plane tries again; 0: it does not. */
    readonly retryMs: number;
  };
  readonly reload_applied: {
    readonly generation: number;
    readonly listenersAdded: number;
    readonly listenersRemoved: number;
    readonly targetsAdded: number;
    readonly targetsRemoved: number;
  };
  readonly reload_refused: { readonly reason: string; readonly message: string };
  readonly drain_started: {
    readonly owner: Owner | 'all';
    readonly name: string;
    readonly active: number;
    readonly timeoutMs: number;
  };
  readonly drain_finished: {
    readonly owner: Owner | 'all';
    readonly name: string;
    /** Connections that the deadline cut; 0: all ended by themselves. */
    readonly cut: number;
    readonly durationMs: number;
  };
  /** The drain of a target ended while it had connections: it is in use again, or gone. */
  readonly drain_ended: {
    readonly owner: Owner;
    readonly name: string;
    readonly result: DrainResult;
    readonly cut: number;
    readonly active: number;
    readonly durationMs: number;
  };
  readonly connections_closed: {
    readonly owner: Owner | 'all';
    readonly name: string;
    readonly active: number;
  };
  /** The process begins: what it runs and on what. */
  readonly starting: {
    readonly version: string;
    readonly file: string;
    readonly workers: number;
    readonly nodeVersion: string;
  };
  /** The kernel or our privileges lack something; `detail` says what is done instead. */
  readonly feature_missing: { readonly feature: string; readonly detail: string };
  /** The configuration is valid but probably not meant. */
  readonly config_warning: {
    readonly line: number;
    readonly path: string;
    readonly message: string;
    readonly code: string;
  };
  /** Clients are served from now on. */
  readonly ready: {
    readonly listeners: readonly { readonly name: string; readonly addresses: readonly string[] }[];
    /** Empty: there is no admin API. */
    readonly adminAddress: string;
    readonly durationMs: number;
  };
  readonly start_failed: { readonly code: string; readonly message: string };
  readonly reload_started: { readonly trigger: 'signal' | 'watch' | 'call' };
  /** One problem of a configuration that a reload refused. */
  readonly config_problem: {
    readonly line: number;
    readonly column: number;
    readonly path: string;
    readonly message: string;
    readonly code: string;
  };
  /** What an earlier process knew, `ageMs` ago; `sections` are the parts that were taken. */
  readonly state_restored: {
    readonly file: string;
    readonly sections: readonly string[];
    readonly ageMs: number;
  };
  /** A state file, or a part of one, that is not used; the process starts without it. */
  readonly state_ignored: { readonly file: string; readonly reason: string };
  /** Said once until a write succeeds again. */
  readonly state_not_written: { readonly file: string; readonly reason: string };
  /** A change by the admin API, carried out or refused (`status` is that of HTTP). */
  readonly admin_change: {
    /** The name of the token; without tokens `loopback` or `unix`. */
    readonly who: string;
    /** The address that asked, or `unix`. */
    readonly source: string;
    readonly operation: string;
    readonly path: string;
    /** The body, where it had the form that the operation takes. */
    readonly change: string;
    readonly status: number;
  };
  readonly admin_token_refused: { readonly source: string; readonly path: string };
  readonly setting_needs_restart: { readonly setting: string };
  readonly file_watch_failed: { readonly file: string; readonly reason: string };
  readonly logs_reopened: { readonly output: string };
  /** A worker ran out of descriptors; it accepts again by itself when some are free. */
  readonly accept_paused: { readonly worker: number };
  readonly connect_failed: {
    readonly pool: string;
    readonly target: string;
    readonly failure: string;
    readonly error: string;
  };
  readonly target_unreachable: {
    readonly pool: string;
    readonly target: string;
    readonly error: string;
  };
  /** The access record of a TCP connection. */
  readonly connection_closed: AccessFields;
  /** The access record of a UDP session. */
  readonly session_ended: AccessFields;
  readonly stopping: { readonly signal: string; readonly timeoutMs: number | null };
  readonly stopped: { readonly durationMs: number; readonly cut: number };
  /** A broken contract inside sluice; the process ends after this. */
  readonly crashed: { readonly message: string; readonly stack: string };
}

export type EventName = keyof EventFields;

/** An event's level, where it depends on what happened. */
type LevelOf<N extends EventName> = Level | ((fields: EventFields[N]) => Level);

export const levels: { readonly [N in EventName]: LevelOf<N> } = {
  target_health_changed: ({ health }) => (health === 'unhealthy' ? 'warn' : 'info'),
  target_ejected: 'warn',
  target_returned: 'info',
  target_agent_changed: 'info',
  primary_changed: 'warn',
  split_brain: 'error',
  target_admin_state_changed: 'info',
  target_address_changed: 'info',
  name_unresolved: 'warn',
  name_resolved: 'info',
  password_file_unreadable: 'warn',
  password_file_readable: 'info',
  table_applied: 'debug',
  table_rejected: 'error',
  reload_applied: 'info',
  reload_refused: 'error',
  drain_started: 'info',
  drain_finished: 'info',
  drain_ended: 'info',
  connections_closed: 'warn',
  starting: 'info',
  feature_missing: 'info',
  config_warning: 'warn',
  ready: 'info',
  start_failed: 'error',
  reload_started: 'info',
  config_problem: 'error',
  state_restored: 'info',
  state_ignored: 'warn',
  state_not_written: 'warn',
  admin_change: 'info',
  admin_token_refused: 'warn',
  setting_needs_restart: 'warn',
  file_watch_failed: 'warn',
  logs_reopened: 'info',
  accept_paused: 'warn',
  connect_failed: 'debug',
  target_unreachable: 'debug',
  connection_closed: 'info',
  session_ended: 'info',
  stopping: 'info',
  stopped: 'info',
  crashed: 'error',
};

export function levelOf<N extends EventName>(name: N, fields: EventFields[N]): Level {
  const level: LevelOf<N> = levels[name];
  return typeof level === 'function' ? level(fields) : level;
}
