// Status: what the control plane believes and what the engine counts, at one moment. This is the
// body of the admin API's /api/v1/status and the source of every metric.

import type { AgentWords } from './agent.js';
import type { ConnectionEnds } from './connection-ends.js';
import type { DrainCause, DrainPhase } from './drain.js';
import type { EjectionReason } from './ejection.js';
import type { Distribution } from './histogram.js';
import type { Protocol } from './listener.js';
import type { PolicyName } from './policy.js';
import type { PoolRole } from './pool.js';
import type { ResponseTimes } from './response-times.js';
import type { AdminState, Health, Role } from './target.js';

/** Counter name (as in the engine's layout) to its value, summed over all workers. */
export type CounterValues = Readonly<Record<string, number>>;

export interface ListenerStatus {
  readonly name: string;
  readonly protocol: Protocol;
  readonly pool: string;
  /** As bound: `127.0.0.1:8080`, `[::1]:53`, `unix:/run/x.sock`; a port 0 is resolved. */
  readonly addresses: readonly string[];
  /** Connections and sessions open now. */
  readonly active: number;
  readonly maxConnections: number;
  readonly totals: CounterValues;
  /** Ended connections and sessions, by close reason. */
  readonly closed: CounterValues;
  readonly ends: ConnectionEnds;
}

export interface TargetStatus {
  readonly name: string;
  /** As configured. */
  readonly address: string;
  /** As resolved; null while a name has not been resolved. */
  readonly resolved: string | null;
  readonly weight: number;
  /** The same, as an agent has changed it. */
  readonly effectiveWeight: number;
  /** What the agent beside it has said; null: nothing, or there is none. */
  readonly agent: AgentWords | null;
  /** null: a backup. */
  readonly priority: number | null;
  readonly backup: boolean;
  readonly health: Health;
  /** The last probe's reason, such as `refused`; empty when it went well. */
  readonly healthReason: string;
  /** What the last probe saw, such as `HTTP 503`; empty when there is no more to say. */
  readonly healthDetail: string;
  /** ISO time at which the certificate that the target showed expires; null: it showed none. */
  readonly certificateExpires: string | null;
  /** What its last good probe said it is; empty when it did not say, or nobody wants to know. */
  readonly role: Role | '';
  /** ISO time of the last change of health; null before the first verdict. */
  readonly healthSince: string | null;
  /** Of the last good probe; null before it. */
  readonly probeLatencyMs: number | null;
  readonly adminState: AdminState;
  /** Why it gets no connections whatever its health, with ISO times; null: not ejected. */
  readonly ejection: {
    readonly reason: EjectionReason;
    readonly since: string;
    readonly until: string;
  } | null;
  /** How its connections are brought to their end, with ISO times; null: they are not. */
  readonly drain: {
    readonly cause: DrainCause;
    readonly phase: DrainPhase;
    readonly since: string;
    /** null: it has none. */
    readonly deadline: string | null;
    /** Connections and sessions closed so far. */
    readonly closed: number;
  } | null;
  /** May a new connection go here now? */
  readonly eligible: boolean;
  readonly active: number;
  /** Connections whose client has spoken last and now waits for the target. */
  readonly activeTurns: number;
  readonly responses: ResponseTimes;
  /** What its successful connects took; `below` as in `connectBoundsMs`. */
  readonly connects: Distribution;
  readonly maxConnections: number;
  readonly totals: CounterValues;
}

/** Candidates of one rank, in the order in which they are asked. */
export interface TierStatus {
  /** null: backups. */
  readonly priority: number | null;
  readonly candidates: number;
  readonly configured: number;
  /** Of new connections that begin here, 0..1; 0 = only when no earlier tier can. */
  readonly share: number;
  /** Too few are available: candidates are taken whatever was measured of them. */
  readonly panic: boolean;
}

export interface PoolStatus {
  readonly name: string;
  readonly policy: PolicyName;
  readonly healthCheck: string;
  /** Which of its targets it is for. */
  readonly role: PoolRole;
  /** Empty: nothing can be picked. */
  readonly tiers: readonly TierStatus[];
  /** Clients remembered, and how many may be; null for a pool that is not sticky. */
  readonly sticky: { readonly entries: number; readonly capacity: number } | null;
  readonly totals: CounterValues;
  readonly targets: readonly TargetStatus[];
}

export interface WorkerStatus {
  readonly index: number;
  readonly totals: CounterValues;
}

/**
 * A part of it, for those who ask often: no pools, or one pool with all of its targets or with one.
 * What is told of that part is the same.
 */
export type StatusScope = 'listeners' | { readonly pool: string; readonly target?: string };

export interface Status {
  readonly generation: { readonly wanted: number; readonly applied: number };
  readonly listeners: readonly ListenerStatus[];
  readonly pools: readonly PoolStatus[];
  readonly workers: readonly WorkerStatus[];
  readonly eventsDropped: number;
}
