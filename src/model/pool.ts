// A pool: a named set of targets with a policy and a health check.
import type { IpAddress } from './address.js';
import type { HealthCheck } from './health-check.js';
import type { TcpOptions } from './listener.js';
import type { Policy } from './policy.js';
import type { Target } from './target.js';

export type WhenNoneHealthy = 'refuse' | 'use_all';

export interface Pool {
  readonly name: string;
  readonly policy: Policy;
  readonly targets: readonly Target[];
  readonly health: HealthCheck;
  /** Further tries on other targets after the first failed connect. */
  readonly retries: number;
  readonly whenNoneHealthy: WhenNoneHealthy;
  /** Source addresses for connections to targets, used in turn; empty = the kernel chooses. */
  readonly sources: readonly IpAddress[];
  readonly tcp: TcpOptions;
}
