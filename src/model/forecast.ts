// Forecast: what a worker says would become of a client that came now, in slots and numbers. What
// it means to people is an Explanation (explanation.ts), made in control.
import type { IpAddress } from './address.js';

/** Who would come. */
export interface ForecastClient {
  /** null: on a unix socket, without an address. */
  readonly ip: IpAddress | null;
  /** 0: not said. */
  readonly port: number;
}

export const forecastOutcomes = [
  'picked',
  /** UDP: the client has a session. */
  'session',
  /** TCP: it would wait for a place at a target, or for a target. */
  'queued',
  'parked',
  'queue_full',
  'park_full',
  'no_target',
  'listener_full',
  'worker_full',
  /** No descriptors are left: clients wait in the kernel's backlog. */
  'accept_paused',
  'unknown_listener',
] as const;

export type ForecastOutcome = (typeof forecastOutcomes)[number];

/** Why a candidate could not be picked, or that it could. */
export const candidateStandings = ['usable', 'tried', 'full', 'not_asked'] as const;

export type CandidateStanding = (typeof candidateStandings)[number];

/** What the client's sticky entry had to say; see native/table/sticky_pick.h. */
export const stickySteps = [
  'none',
  'miss',
  'hit',
  'moved_gone',
  'moved_down',
  'moved_full',
  'refused_down',
  'refused_full',
] as const;

export type StickyStep = (typeof stickySteps)[number];

/** One candidate as the policy met it. */
export interface CandidateNote {
  readonly slot: number;
  /** Index into the pool's tiers in the table. */
  readonly tier: number;
  readonly weight: number;
  readonly maxConnections: number;
  /** Connections and sessions. */
  readonly active: number;
  /** What the policy counts of them. */
  readonly load: number;
  readonly standing: CandidateStanding;
  /** Smaller is better; null: the policy does not look at numbers, or not at this candidate. */
  readonly score: number | null;
}

export interface Forecast {
  readonly outcome: ForecastOutcome;
  /** Of the table that the worker picks by. */
  readonly generation: number;
  /** null with unknown_listener. */
  readonly poolSlot: number | null;
  /** Where the client would go at once; null otherwise. */
  readonly targetSlot: number | null;
  readonly sticky: { readonly step: StickyStep; readonly targetSlot: number | null };
  /** Index of the tier that the policy began with. */
  readonly firstTier: number;
  /** Of the one that had somebody; null: none had, or the policy was not asked. */
  readonly tier: number | null;
  /** Empty: the policy was not asked. */
  readonly candidates: readonly CandidateNote[];
  /** TCP: clients that wait in the pool, over all workers. */
  readonly waiting: number;
  /** Connections or sessions of the listener, over all workers. */
  readonly listenerActive: number;
  /** UDP: there are too many sessions to look for the client's. */
  readonly sessionsUnseen: boolean;
}
