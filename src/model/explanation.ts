// Explanation: which target a client of a listener would get now, and why, in the words of the
// configuration. Made in control out of a worker's Forecast; the admin API and the command line
// show it.
import type { ForecastOutcome, StickyStep } from './forecast.js';
import type { Protocol } from './listener.js';
import type { PolicyName } from './policy.js';

/** What kept a target from being the one. */
export const whyNotKinds = [
  // It is no candidate.
  'unresolved',
  'disabled',
  'draining',
  'weight_zero',
  'ejected',
  'unhealthy',
  'wrong_role',
  /** It could be picked by what is known now; the workers are about to hear of it. */
  'changing',
  // It is one.
  'full',
  'later_tier',
  /** The client's session or sticky entry leads elsewhere: the policy was not asked. */
  'session',
  'sticky',
  /** The policy has chosen another. */
  'policy',
  /** No target is picked now; Explanation.outcome says why. */
  'no_pick',
] as const;

export type WhyNotKind = (typeof whyNotKinds)[number];

export interface ExplainedTarget {
  readonly name: string;
  /** As resolved; as configured while it is not. */
  readonly address: string;
  /** It may get new clients: it is in the workers' table. */
  readonly candidate: boolean;
  readonly picked: boolean;
  /** null: a backup. */
  readonly priority: number | null;
  readonly weight: number;
  /** Connections and sessions open. */
  readonly active: number;
  /** 0: no limit. */
  readonly maxConnections: number;
  /** Smaller is better, see Explanation.scoreIs; null: the policy did not look at a number here. */
  readonly score: number | null;
  /** null: this is the one. */
  readonly whyNot: { readonly kind: WhyNotKind; readonly text: string } | null;
}

/** What one worker would do. */
export interface WorkerChoice {
  readonly worker: number;
  readonly outcome: ForecastOutcome;
  readonly target: string | null;
}

export interface Explanation {
  readonly listener: string;
  readonly protocol: Protocol;
  readonly pool: string;
  readonly policy: PolicyName;
  /** Whose next pick this is. */
  readonly worker: number;
  /** Of the table by which the worker picks. */
  readonly generation: number;
  readonly outcome: ForecastOutcome;
  /** Where the client would go at once; null: nowhere now. */
  readonly target: string | null;
  /** The choice and its reason, in one sentence. */
  readonly reason: string;
  /** null: the pool is not sticky, or the client cannot be told from others. */
  readonly sticky: { readonly step: StickyStep; readonly target: string | null } | null;
  /** Too few targets are available: candidates are taken whatever was measured of them. */
  readonly panic: boolean;
  /** What `score` is; null: the policy does not judge by a number. */
  readonly scoreIs: string | null;
  /** TCP: clients that wait in the pool, over all workers. */
  readonly waiting: number;
  /** What was taken for granted, and for how long the answer holds; whole sentences. */
  readonly notes: readonly string[];
  /** In the order of the file. */
  readonly targets: readonly ExplainedTarget[];
  /** Of every worker that was asked, this one included. */
  readonly workers: readonly WorkerChoice[];
}
