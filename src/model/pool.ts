// A pool: a named set of targets with a policy and a health check.
import type { IpAddress } from './address.js';
import type { AgentCheck } from './agent.js';
import type { DrainRules } from './drain.js';
import type { HealthCheck } from './health-check.js';
import type { TcpOptions } from './listener.js';
import type { Policy } from './policy.js';
import type { RetryRules } from './retry.js';
import type { Sticky } from './sticky.js';
import type { Role, Target } from './target.js';

export type WhenNoneHealthy = 'refuse' | 'use_all' | 'park';
/** Connections and sessions of a target that goes down: left alone, drained or closed at once. */
export type OnDown = 'keep' | 'drain' | 'close';

/** How many connections may wait, over all workers, and for how long. */
export interface Waiting {
  /** 0 = none waits, and then the timeout is 0 too. */
  readonly max: number;
  readonly timeoutMs: number;
}

export const noWaiting: Waiting = { max: 0, timeoutMs: 0 };

export interface TierRules {
  /** 1..10: how much more than its share of health a priority can take; 1.4 = 40 %. */
  readonly overprovisioning: number;
  /** 0..100: per cent of available targets below which a priority's health is not believed. */
  readonly panicThreshold: number;
}

/** nginx's max_fails and fail_timeout. */
export interface PassiveRules {
  readonly maxFails: number;
  readonly failTimeoutMs: number;
  /** A probe that passes ends the time. */
  readonly endOnProbe: boolean;
}

/** When connections of a target go so unlike those of others that it is ejected. */
export interface OutlierRules {
  /** Failed connects without a success between them; 0 = do not look. */
  readonly consecutiveFailures: number;
  /** Standard deviations below the mean success rate of the pool; 0 = do not look. */
  readonly failureRateDeviations: number;
  /** Deviations above the median time to connect of the pool; 0 = do not look. */
  readonly latencyDeviations: number;
  /** From look to look, for the two that compare. */
  readonly intervalMs: number;
  /** Targets with enough connections, below which nothing is compared. */
  readonly minTargets: number;
  /** Connections in the interval, below which a target is not compared. */
  readonly minConnections: number;
  /** Of the first ejection; the second in a row is twice as long, and so on. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** Of the pool's targets; one may always be ejected, and never the last. */
  readonly maxEjectionPercent: number;
  /** A probe that passes ends an ejection. */
  readonly endOnProbe: boolean;
}

/** Which targets a pool is for; any: all, whatever they say. */
export type PoolRole = 'any' | Role;

export interface Pool {
  readonly name: string;
  readonly policy: Policy;
  /** null: every pick is the policy's. */
  readonly sticky: Sticky | null;
  readonly targets: readonly Target[];
  readonly health: HealthCheck;
  /** Asked beside the health check; null: there are no agents. */
  readonly agent: AgentCheck | null;
  readonly role: PoolRole;
  /** Good probes in a row that make a new primary sure enough to cut the old one's connections. */
  readonly roleConfirm: number;
  /** Further tries after the first failed connect. */
  readonly retries: number;
  readonly retry: RetryRules;
  readonly whenNoneHealthy: WhenNoneHealthy;
  readonly onDown: OnDown;
  /** Of drains, unless who asks for one says otherwise. */
  readonly drain: DrainRules;
  readonly tiers: TierRules;
  /** `one`: the first that can take a connection; `all`: by the policy among all of them. */
  readonly backups: 'one' | 'all';
  /** null: off. */
  readonly passive: PassiveRules | null;
  readonly outlier: OutlierRules | null;
  /** TCP: for a place, when every eligible target is at its limit. */
  readonly queue: Waiting;
  /** TCP: for a target, when none is eligible or reachable; none but with `park`. */
  readonly park: Waiting;
  /** Source addresses for connections to targets, used in turn; empty = the kernel chooses. */
  readonly sources: readonly IpAddress[];
  readonly tcp: TcpOptions;
}
