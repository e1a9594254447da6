// Table: what the engine is told to do, as one immutable whole. Made only by control/build-table,
// written as a table image by engine/, never changed.
import type { Endpoint, IpAddress } from './address.js';
import type { Listener, TcpOptions } from './listener.js';
import type { Policy } from './policy.js';

export interface TableTarget {
  readonly slot: number;
  readonly name: string;
  readonly address: Endpoint;
  readonly maxConnections: number;
  /** An existing UDP session may stay here (healthy or draining). */
  readonly servesSessions: boolean;
}

export interface Candidate {
  /** Index into Table.targets. */
  readonly target: number;
  readonly weight: number;
}

export interface TablePool {
  readonly slot: number;
  readonly name: string;
  readonly policy: Policy;
  readonly retries: number;
  readonly primaries: readonly Candidate[];
  readonly backups: readonly Candidate[];
  /**
   * Targets that the configuration has for the tier, eligible or not: what depends on their number,
   * such as the size of a Maglev table, must not follow their health.
   */
  readonly primariesConfigured: number;
  readonly backupsConfigured: number;
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
