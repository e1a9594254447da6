// WatchedTarget: all that the checker keeps of one target. Owned and changed by the checker alone;
// the functions here are its bookkeeping, without a clock or a socket.
import type { Timer } from '../clock.js';
import type { Endpoint } from '../model/address.js';
import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import type { HealthReason, ProbeDetail, ProbeResult } from '../model/health.js';
import type { HealthCheck, Pool } from '../model/pool.js';
import { configuredKey, targetKey } from '../model/target-key.js';
import { initialVerdict, type Verdict } from './hysteresis.js';
import type { ActiveProbeKind } from './probe-kinds.js';

/** A target that is to be probed, as a configuration and the resolved names have it. */
export interface ProbeWish {
  readonly key: string;
  /** What an operator's wish hangs on: see model/target-key. */
  readonly configuredKey: string;
  readonly pool: string;
  readonly target: string;
  readonly endpoint: Endpoint;
  readonly kind: ActiveProbeKind;
  readonly check: HealthCheck;
}

export interface WatchedTarget {
  wish: ProbeWish;
  verdict: Verdict;
  /** paused: disabled by the operator. gone: no longer the checker's, a late result is dropped. */
  phase: 'probed' | 'paused' | 'gone';
  /** Runs between two probes; null while one is under way or waits for its turn. */
  timer: Timer | null;
  underWay: boolean;
  dueMs: number;
  startedMs: number;
  /** Counts the reasons to disregard a probe that is under way; a reload, a pause, the end. */
  epoch: number;
  reason: HealthReason | null;
  latencyMs: number | null;
  since: Date | null;
  probes: number;
  probesVoid: number;
}

/** Every target of every pool that is probed and whose address is known. */
export function probeWishes(pools: readonly Pool[], names: ResolvedNames): readonly ProbeWish[] {
  return pools.flatMap((pool) => {
    const check = pool.health;
    const { kind } = check;
    if (kind === 'none') return [];
    return pool.targets.flatMap((target) => {
      const endpoint = endpointOf(target.address, names);
      if (endpoint === null) return [];
      return [
        {
          key: targetKey(pool.name, target.name, endpoint),
          configuredKey: configuredKey(pool.name, target),
          pool: pool.name,
          target: target.name,
          endpoint,
          kind,
          check,
        },
      ];
    });
  });
}

/** Where the probe goes: the target itself, or the other port that the check names. */
export function probeEndpoint({ endpoint, check }: ProbeWish): Endpoint {
  return endpoint.kind === 'ip' && check.port !== 0 ? { ...endpoint, port: check.port } : endpoint;
}

export function createWatchedTarget(wish: ProbeWish): WatchedTarget {
  return {
    wish,
    verdict: initialVerdict(wish.check),
    phase: 'probed',
    timer: null,
    underWay: false,
    dueMs: 0,
    startedMs: 0,
    epoch: 0,
    reason: null,
    latencyMs: null,
    since: null,
    probes: 0,
    probesVoid: 0,
  };
}

/** A void probe is shown as the last reason too: it may be the only hint that probing is broken. */
export function record(watched: WatchedTarget, result: ProbeResult, isVoid: boolean): void {
  watched.reason = result.reason;
  if (isVoid) watched.probesVoid++;
  if (result.ok) watched.latencyMs = result.latencyMs;
}

export function detailOf({ wish, verdict, ...watched }: WatchedTarget): ProbeDetail {
  return {
    pool: wish.pool,
    target: wish.target,
    endpoint: wish.endpoint,
    health: verdict.health,
    reason: watched.reason,
    latencyMs: watched.latencyMs,
    since: watched.since,
    consecutiveGood: verdict.consecutiveGood,
    consecutiveBad: verdict.consecutiveBad,
    probes: watched.probes,
    probesVoid: watched.probesVoid,
  };
}
