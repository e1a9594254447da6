// Engine: the only face that the data plane shows to the control plane. A table says who may be
// picked, an engine says how bytes get there; nothing here assumes a proxy.
import type { IpAddress } from '../model/address.js';
import type { EndHistograms } from '../model/connection-ends.js';
import type { Forecast, ForecastClient } from '../model/forecast.js';
import type { Histogram } from '../model/histogram.js';
import type { Table } from '../model/table.js';

export interface EngineOptions {
  readonly workers: number;
  /** Per worker; 0 = as many as the descriptor limit allows. */
  readonly connectionsMax: number;
  /** A worker's largest single read; also what it keeps for a slow receiver. Default 64 KiB. */
  readonly bufferBytes?: number;
  readonly splice: boolean;
  readonly udpGso: boolean;
  readonly udpGro: boolean;
}

/** One thing that the kernel or our privileges may lack; probed once, at start. */
export interface Feature {
  readonly name: string;
  readonly available: boolean;
  /** Why not, and what is done instead; empty when available. */
  readonly detail: string;
}

export type CloseScope = 'all' | 'listener' | 'target';
/** unanswered: it took the connection, and ended it before its first byte (replay_safe). */
export type ConnectFailure =
  | 'refused'
  | 'timed_out'
  | 'unreachable'
  | 'reset'
  | 'local'
  | 'other'
  | 'unanswered';
export type PingOutcome = 'answered' | 'unreachable' | 'not_permitted' | 'failed' | 'timed_out';

/** The access record of one TCP connection or UDP session. */
export interface AccessRecord {
  readonly kind: 'connection' | 'session';
  readonly listenerSlot: number;
  /** null: no target was reached. */
  readonly targetSlot: number | null;
  /** Text form, v4-mapped shown as IPv4; empty for a unix socket. */
  readonly clientIp: string;
  readonly clientPort: number;
  readonly connectUs: number;
  /** For a place at a target, or for a target. */
  readonly waitedMs: number;
  /** Targets that ended it before their first byte and were replaced. */
  readonly replays: number;
  readonly durationMs: number;
  readonly toTargetBytes: number;
  readonly toClientBytes: number;
  /** A CloseReason name as exported by the engine. */
  readonly reason: string;
}

export type TableOutcome =
  | { readonly applied: true; readonly generation: number }
  | {
      readonly applied: false;
      readonly generation: number;
      readonly reason:
        | 'malformed'
        | 'address_in_use'
        | 'bind_failed'
        | 'permission_denied'
        | 'no_memory';
      /** The listener and bind at fault, when one is. */
      readonly listenerSlot: number | null;
      readonly bindIndex: number;
      /** Name such as EADDRINUSE; empty when none. */
      readonly error: string;
    };

/** What the engine reports by itself. All callbacks run on the event loop's thread. */
export interface EngineEvents {
  connectFailed(targetSlot: number, failure: ConnectFailure, error: string): void;
  targetUnreachable(targetSlot: number, error: string): void;
  accessRecord(record: AccessRecord): void;
  listenerBound(listenerSlot: number, bindIndex: number, port: number): void;
  acceptPaused(worker: number): void;
}

export interface CounterDescription {
  readonly name: string;
  readonly unit: string;
  readonly help: string;
}

/** Writes the sum of each group of counters, over all workers, into its place. */
export type SumReader = (slot: number, into: Float64Array) => void;

export interface ExplainRequest {
  readonly listenerSlot: number;
  /** Whose next pick: each worker has its own place in a rotation, and its own random numbers. */
  readonly worker: number;
  readonly client: ForecastClient;
}

/** Counters summed over workers, read with no call into the addon. */
export interface EngineCounters {
  readonly workerCounters: readonly CounterDescription[];
  readonly listenerCounters: readonly CounterDescription[];
  readonly targetCounters: readonly CounterDescription[];
  readonly poolCounters: readonly CounterDescription[];
  readonly closeReasons: readonly string[];
  worker(index: number): ReadonlyMap<string, number>;
  listener(slot: number): ReadonlyMap<string, number>;
  /** Ended connections and sessions of a listener, by close reason. */
  listenerCloseReasons(slot: number): ReadonlyMap<string, number>;
  target(slot: number): ReadonlyMap<string, number>;
  pool(slot: number): ReadonlyMap<string, number>;
  /** Clients that a pool's sticky table remembers, with those that it has yet to find expired. */
  stickyEntries(slot: number): number;
  /** Connections and sessions open now, over all workers. */
  targetActive(slot: number): number;
  /** Connections whose client has spoken last and now waits for the target, over all workers. */
  targetActiveTurns(slot: number): number;
  /** Peak-sensitive mean time to an answer (to a connect before any); 0 = not measured. */
  targetResponseUs(slot: number): number;
  /** What the turns of the target took, in microseconds, since the engine started. */
  targetResponses(slot: number): Histogram;
  /** What its successful connects took, in microseconds, likewise. */
  targetConnects(slot: number): Histogram;
  /** The sum of that alone. */
  targetConnectUs(slot: number): number;
  /** Of the connections and sessions that have ended, likewise. */
  listenerEnds(slot: number): EndHistograms;
  listenerActive(slot: number): number;
  /** For those who read many rows often. Throws a RangeError for a counter that does not exist. */
  listenerSums(groups: readonly (readonly string[])[]): SumReader;
  targetSums(groups: readonly (readonly string[])[]): SumReader;
  /** How many buckets a histogram of responses has. */
  readonly responseBuckets: number;
  /**
   * The same as targetResponses, modulo 2^32 each, and after the buckets the sum of microseconds.
   * False, and nothing is written, while that sum is what `into` has.
   */
  readTargetResponses(slot: number, into: Uint32Array): boolean;
  /** Events lost because a ring was full. */
  eventsDropped(): number;
}

export interface Engine {
  readonly workers: number;
  readonly features: readonly Feature[];
  readonly counters: EngineCounters;
  readonly limits: { readonly listeners: number; readonly pools: number; readonly targets: number };
  /**
   * Resolves when every worker works by the table, or when it was refused and nothing changed.
   * Calls queue, each with its own outcome. Rejects with SLUICE_TABLE_TOO_LARGE and
   * SLUICE_ENGINE_CLOSED.
   */
  apply(table: Table): Promise<TableOutcome>;
  /**
   * Closes connections and sessions now; counted as closed_by_operator. `oneIn`: each of them with
   * a chance of one in so many; default 1.
   */
  closeConnections(scope: CloseScope, slot: number, oneIn?: number): void;
  ping(
    address: IpAddress,
    timeoutMs: number,
  ): Promise<{ readonly outcome: PingOutcome; readonly latencyMs: number }>;
  /**
   * What would become of a client that came now. The worker answers in its turn, by what it would
   * pick by, and changes nothing. Rejects with SLUICE_EXPLAIN_TIMEOUT, SLUICE_EXPLAIN_BUSY and
   * SLUICE_ENGINE_CLOSED.
   */
  explain(request: ExplainRequest): Promise<Forecast>;
  /** Stops and joins all threads; connections still open are closed. Idempotent. */
  close(): Promise<void>;
}
