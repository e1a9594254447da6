// WatchedTarget: all that the checker keeps of one target. Owned and changed by the checker alone;
// the functions here are its bookkeeping, without a clock or a socket.
import type { Timer } from '../clock.js';
import type { Endpoint } from '../model/address.js';
import { endpointOf, formatIp, type ResolvedNames } from '../model/address-text.js';
import type { HealthReason, ProbeDetail, ProbeFacts, ProbeResult } from '../model/health.js';
import type { ActiveCheck } from '../model/health-check.js';
import type { Pool } from '../model/pool.js';
import type { Target } from '../model/target.js';
import { configuredKey, targetKey } from '../model/target-key.js';
import { initialVerdict, type Verdict } from './hysteresis.js';
import type { ProbeRequest } from './probe.js';
import { probeTimeoutMs } from './schedule.js';

/** A target that is to be probed, as a configuration and the resolved names have it. */
export interface ProbeWish {
  readonly key: string;
  /** What an operator's wish hangs on: see model/target-key. */
  readonly configuredKey: string;
  readonly pool: string;
  readonly target: string;
  readonly endpoint: Endpoint;
  /** See ProbeRequest. */
  readonly host: string;
  readonly check: ActiveCheck;
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
  facts: ProbeFacts;
  since: Date | null;
  probes: number;
  probesVoid: number;
}

/** Every target of every pool that is probed and whose address is known. */
export function probeWishes(pools: readonly Pool[], names: ResolvedNames): readonly ProbeWish[] {
  return pools.flatMap((pool) => {
    const check = pool.health;
    if (check.kind === 'none') return [];
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
          host: hostText(target),
          check,
        },
      ];
    });
  });
}

function hostText({ address }: Target): string {
  if (address.kind === 'name') return address.host;
  // A unix socket has no name, and protocols that want one take this.
  return address.kind === 'ip' ? formatIp({ ...address.ip, scopeId: 0 }) : 'localhost';
}

/** The probe goes to the target itself, or to the other port that the check names. */
export function probeRequest({ endpoint, check, ...wish }: ProbeWish): ProbeRequest {
  const { pool, target, host } = wish;
  const ownPort = endpoint.kind !== 'ip' || check.port === 0;
  const asked = ownPort ? endpoint : { ...endpoint, port: check.port };
  return { pool, target, endpoint: asked, host, check, timeoutMs: probeTimeoutMs(check) };
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
    facts: {},
    since: null,
    probes: 0,
    probesVoid: 0,
  };
}

/** A void probe is shown as the last reason too: it may be the only hint that probing is broken. */
export function record(watched: WatchedTarget, result: ProbeResult, isVoid: boolean): void {
  watched.reason = result.reason;
  // A target that is down for a moment has not lost its certificate.
  const { certificateExpires } = watched.facts;
  watched.facts = { ...(certificateExpires && { certificateExpires }), ...result.facts };
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
    facts: watched.facts,
    since: watched.since,
    consecutiveGood: verdict.consecutiveGood,
    consecutiveBad: verdict.consecutiveBad,
    probes: watched.probes,
    probesVoid: watched.probesVoid,
  };
}
