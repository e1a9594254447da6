// A pool: a named set of targets with a policy and a health check.
import type { IpAddress } from './address.js';
import type { HealthCheck } from './health-check.js';
import type { TcpOptions } from './listener.js';
import type { Policy } from './policy.js';
import type { Target } from './target.js';

export type WhenNoneHealthy = 'refuse' | 'use_all';

export interface TierRules {
  /** 1..10: how much more than its share of health a priority can take; 1.4 = 40 %. */
  readonly overprovisioning: number;
  /** 0..100: per cent of available targets below which a priority's health is not believed. */
  readonly panicThreshold: number;
}

export interface Pool {
  readonly name: string;
  readonly policy: Policy;
  readonly targets: readonly Target[];
  readonly health: HealthCheck;
  /** Further tries on other targets after the first failed connect. */
  readonly retries: number;
  readonly whenNoneHealthy: WhenNoneHealthy;
  readonly tiers: TierRules;
  /** `one`: the first that can take a connection; `all`: by the policy among all of them. */
  readonly backups: 'one' | 'all';
  /** Source addresses for connections to targets, used in turn; empty = the kernel chooses. */
  readonly sources: readonly IpAddress[];
  readonly tcp: TcpOptions;
}
