// A pool: a named set of targets with a policy and a health check.
import type { IpAddress } from './address.js';
import type { TcpOptions } from './listener.js';
import type { Policy } from './policy.js';
import type { Target } from './target.js';

export type ProbeKind = 'tcp' | 'ping' | 'none';

export interface HealthCheck {
  readonly kind: ProbeKind;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive good probes that make an unhealthy target healthy. */
  readonly rise: number;
  /** Consecutive bad probes that make a healthy target unhealthy. */
  readonly fall: number;
  /** 0..0.5: each interval is shortened at random by up to this share; never lengthened. */
  readonly jitter: number;
  /** What a target counts as before its first verdict. */
  readonly initial: 'healthy' | 'unhealthy';
  /** Port to connect to instead of the target's own; 0 = the target's own. */
  readonly port: number;
}

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
