// Table: what the engine is told to do, as one immutable whole. Made only by control/build-table,
// written as a table image by engine/, never changed.
import type { Endpoint, IpAddress } from './address.js';
import type { Listener, TcpOptions } from './listener.js';
import type { Policy } from './policy.js';
import type { Waiting } from './pool.js';
import type { RetryRules } from './retry.js';
import type { Sticky } from './sticky.js';

export interface TableTarget {
  readonly slot: number;
  readonly name: string;
  readonly address: Endpoint;
  readonly maxConnections: number;
  /** An existing UDP session may stay here (healthy or draining). */
  readonly servesSessions: boolean;
  /** Of the pool that has it; null once the configuration no longer does. */
  readonly poolSlot: number | null;
  /** Sticky entries may lead here: to a candidate, or one that drains where clients may stay. */
  readonly servesSticky: boolean;
  /** And that renews the entry. Not while it drains, so that a drain comes to an end. */
  readonly renewsSticky: boolean;
}

export interface Candidate {
  /** Index into Table.targets. */
  readonly target: number;
  readonly weight: number;
}

/** Candidates of one rank in their pool. */
export interface TableTier {
  readonly candidates: readonly Candidate[];
  /**
   * Targets that the configuration has for the tier, eligible or not: what depends on their number,
   * such as the size of a Maglev table, must not follow their health.
   */
  readonly configured: number;
  /**
   * Of new connections that begin with this tier, in basis points. Those of a pool are at most
   * 10000 together; what they leave over begins with the first. 0: only when no earlier tier can.
   */
  readonly share: number;
}

export interface TablePool {
  readonly slot: number;
  readonly name: string;
  readonly policy: Policy;
  readonly sticky: Sticky | null;
  readonly retries: number;
  readonly retry: RetryRules;
  /** In the order in which they are asked; at most 32 (kTiersMax in native/policy/candidate.h). */
  readonly tiers: readonly TableTier[];
  readonly queue: Waiting;
  readonly park: Waiting;
  /** The largest weight that the configuration has in the pool, eligible or not: see configured. */
  readonly weightMax: number;
  readonly sources: readonly IpAddress[];
  readonly tcp: TcpOptions;
}

export interface TableListener {
  readonly slot: number;
  /** Index into Table.pools. */
  readonly pool: number;
  readonly listener: Listener;
}

export interface Table {
  readonly generation: number;
  readonly listeners: readonly TableListener[];
  readonly pools: readonly TablePool[];
  readonly targets: readonly TableTarget[];
}
