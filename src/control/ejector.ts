// Ejector: watches how connections to targets go and ejects those that fail by the rules of their
// pool. The engine reports failed connects as they happen; what succeeds is read from its counters.
// Ejections belong to a target (pool, name and address) and so outlive a reload, and by their
// records a restart.
import {
  afterFailure,
  ejectionMs,
  type FailureRun,
  failureRateOutliers,
  latencyOutliers,
  mayEject,
  noFailures,
  type Sample,
} from '../balance/outliers.js';
import {
  afterPassiveFailure,
  afterPassiveSuccess,
  noPassiveFailures,
  type PassiveState,
} from '../balance/passive-failures.js';
import type { Clock, Timer } from '../clock.js';
import type { EngineCounters } from '../engine/engine.js';
import type { Logger } from '../log/logger.js';
import type { Ejection, EjectionReason, Ejections } from '../model/ejection.js';
import type { OutlierRules, PassiveRules, Pool } from '../model/pool.js';
import { agedRecord, type EjectionRecord, type EjectionRecords } from './ejection-records.js';

export interface EjectorOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Pick<EngineCounters, 'target' | 'targetConnectUs'>;
  /** ejections() has changed. */
  readonly onChange: () => void;
}

/** A target of the table in force. */
export interface EjectorTarget {
  /** targetKey. */
  readonly key: string;
  readonly pool: string;
  readonly target: string;
  readonly slot: number;
}

/** How often ejections are ended and successes looked for. */
const tickMs = 1000;

/** Of one target, as the engine has counted them. */
interface Counts {
  readonly successes: number;
  readonly failedConnects: number;
  readonly resets: number;
  readonly connectUs: number;
}

interface Watched {
  readonly pool: string;
  readonly target: string;
  readonly slot: number;
  passive: PassiveState;
  run: FailureRun;
  /** Successes when it was last put on trial or last looked at. */
  successes: number;
  /** Ejections in a row; one less for each interval without. */
  times: number;
  ejection: (Ejection & { readonly sinceMs: number; readonly untilMs: number }) | null;
  ejectedInInterval: boolean;
  /** Where the counters stood at the beginning of the interval. */
  base: Counts;
}

interface WatchedPool {
  readonly passive: PassiveRules | null;
  readonly outlier: OutlierRules | null;
  readonly members: ReadonlyMap<string, Watched>;
  nextLookMs: number;
}

export class Ejector {
  readonly #options: EjectorOptions;
  #pools: ReadonlyMap<string, WatchedPool> = new Map();
  #bySlot: ReadonlyMap<number, { readonly pool: WatchedPool; readonly watched: Watched }> =
    new Map();
  /** Of an earlier process, until the target that it names is watched. */
  readonly #restored = new Map<string, EjectionRecord>();
  #following = false;
  #timer: Timer | null = null;
  #closed = false;

  constructor(options: EjectorOptions) {
    this.#options = options;
  }

  /**
   * What an earlier process knew, of targets of pools with rules. Before the first table: it is
   * made by ejections() already.
   */
  restore(records: EjectionRecords): void {
    for (const [key, record] of records) this.#restored.set(key, record);
  }

  /** What a later process should know; targets that nothing speaks against have no record. */
  records(): EjectionRecords {
    const at = this.#options.clock.wallTime();
    const records = new Map<string, EjectionRecord>(this.#restored);
    for (const { members } of this.#pools.values()) {
      for (const [key, { ejection, times, passive }] of members) {
        const { onTrial } = passive;
        if (ejection || times > 0 || onTrial) records.set(key, { ejection, times, onTrial, at });
      }
    }
    return records;
  }

  /** After every table: the pools of the configuration in force, and its targets. */
  follow(pools: readonly Pool[], targets: readonly EjectorTarget[]): void {
    if (this.#closed) return;
    const before = this.ejections();
    const nowMs = this.#options.clock.nowMs();
    const known = this.#pools;
    const next = new Map<string, WatchedPool>();
    for (const { name, passive, outlier } of pools) {
      if (passive === null && outlier === null) continue;
      const old = known.get(name);
      const members = new Map(
        targets
          .filter(({ pool }) => pool === name)
          .map((one) => [one.key, this.#watched(one, old?.members.get(one.key))]),
      );
      const nextLookMs = old?.outlier ? old.nextLookMs : nowMs + (outlier?.intervalMs ?? 0);
      const pool = { passive, outlier, members, nextLookMs };
      this.#revive(pool);
      next.set(name, pool);
    }
    this.#pools = next;
    this.#following = true;
    this.#bySlot = new Map(
      [...next.values()].flatMap((pool) =>
        [...pool.members.values()].map((watched) => [watched.slot, { pool, watched }] as const),
      ),
    );
    if (next.size === 0) this.#stop();
    else this.#timer ??= this.#options.clock.after(tickMs, () => this.#tick());
    // A pool without rules ejects nobody any more.
    const after = this.ejections();
    if ([...before.keys()].some((key) => !after.has(key))) this.#options.onChange();
  }

  /** A connect that failed, or an ICMP error; not one that was our own fault. */
  connectFailed(slot: number): void {
    const entry = this.#bySlot.get(slot);
    if (entry === undefined || this.#closed) return;
    const { pool, watched } = entry;
    const nowMs = this.#options.clock.nowMs();
    const { successes } = this.#counts(slot);
    if (pool.passive !== null) this.#failedPassively(pool, pool.passive, watched, successes);
    watched.run = afterFailure(watched.run, successes, nowMs);
    const limit = pool.outlier?.consecutiveFailures ?? 0;
    if (limit > 0 && watched.run.length >= limit && pool.outlier !== null) {
      this.#ejectOutlier(pool, pool.outlier, watched, 'consecutive_failures');
    }
  }

  /**
   * A probe of the target that began at `startedMs` has passed. Where the rules want it so, that
   * ends an ejection of before, and nothing speaks against the target any more (Envoy's
   * successful_active_health_check_uneject_host).
   */
  probePassed(key: string, pool: string, startedMs: number): void {
    const watchedPool = this.#pools.get(pool);
    const watched = watchedPool?.members.get(key);
    if (!watchedPool || !watched?.ejection || startedMs < watched.ejection.sinceMs) return;
    const isPassive = watched.ejection.reason === 'max_fails';
    const rules = isPassive ? watchedPool.passive : watchedPool.outlier;
    if (!rules?.endOnProbe) return;
    watched.times = 0;
    watched.passive = noPassiveFailures;
    watched.ejectedInInterval = false;
    this.#return(watched, this.#counts(watched.slot).successes);
    this.#options.onChange();
  }

  ejections(): Ejections {
    const ejected = new Map<string, Ejection>();
    if (!this.#following) {
      for (const [key, { ejection }] of this.#restored) if (ejection) ejected.set(key, ejection);
    }
    for (const { members } of this.#pools.values()) {
      for (const [key, { ejection }] of members) if (ejection) ejected.set(key, ejection);
    }
    return ejected;
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #watched({ pool, target, slot }: EjectorTarget, old: Watched | undefined): Watched {
    if (old !== undefined && old.slot === slot) return old;
    const base = this.#counts(slot);
    const run = { ...noFailures, successes: base.successes };
    return {
      pool,
      target,
      slot,
      passive: noPassiveFailures,
      run,
      successes: base.successes,
      times: 0,
      ejection: null,
      ejectedInInterval: false,
      base,
    };
  }

  /** nginx: a pool's only target is never skipped. */
  #failedPassively(
    pool: WatchedPool,
    rules: PassiveRules,
    watched: Watched,
    successes: number,
  ): void {
    if (pool.members.size < 2) return;
    if (successes > watched.successes) watched.passive = afterPassiveSuccess(watched.passive);
    watched.successes = successes;
    const nowMs = this.#options.clock.nowMs();
    const { state, skip } = afterPassiveFailure(watched.passive, rules, nowMs);
    watched.passive = state;
    if (skip) this.#eject(watched, 'max_fails', rules.failTimeoutMs);
  }

  #ejectOutlier(
    pool: WatchedPool,
    rules: OutlierRules,
    watched: Watched,
    reason: EjectionReason,
  ): void {
    if (watched.ejection !== null) return;
    const members = [...pool.members.values()];
    const ejected = members.filter(({ ejection }) => ejection !== null).length;
    if (!mayEject(members.length, ejected, rules.maxEjectionPercent)) return;
    watched.times++;
    this.#eject(watched, reason, ejectionMs(rules, watched.times));
  }

  /** One that is ejected already stays so for the longer time; only its first is an event. */
  #eject(watched: Watched, reason: EjectionReason, durationMs: number): void {
    const { clock, log, onChange } = this.#options;
    const { ejection } = watched;
    const sinceMs = clock.nowMs();
    const untilMs = sinceMs + durationMs;
    if (ejection !== null && ejection.untilMs >= untilMs) return;
    const now = clock.wallTime();
    const until = new Date(now.getTime() + durationMs);
    watched.ejection = { reason, since: ejection?.since ?? now, until, sinceMs, untilMs };
    watched.ejectedInInterval = true;
    if (ejection !== null) return;
    const { pool, target } = watched;
    log.event('target_ejected', { pool, target, reason, durationMs });
    onChange();
  }

  #tick(): void {
    const nowMs = this.#options.clock.nowMs();
    this.#timer = this.#options.clock.after(tickMs, () => this.#tick());
    let returned = false;
    for (const pool of this.#pools.values()) {
      for (const watched of pool.members.values()) {
        if (this.#returns(watched, nowMs)) returned = true;
      }
      if (pool.outlier !== null && nowMs >= pool.nextLookMs) {
        pool.nextLookMs = nowMs + pool.outlier.intervalMs;
        this.#look(pool, pool.outlier);
      }
    }
    if (returned) this.#options.onChange();
  }

  #returns(watched: Watched, nowMs: number): boolean {
    const { successes } = this.#counts(watched.slot);
    if (watched.ejection === null) {
      if (successes > watched.successes) watched.passive = afterPassiveSuccess(watched.passive);
      watched.successes = successes;
      return false;
    }
    // Of connections that were under way: they say nothing about the trial to come.
    watched.successes = successes;
    if (nowMs < watched.ejection.untilMs) return false;
    this.#return(watched, successes);
    return true;
  }

  #return(watched: Watched, successes: number): void {
    const { pool, target, ejection } = watched;
    if (ejection === null) return;
    watched.ejection = null;
    watched.run = { ...noFailures, successes };
    this.#options.log.event('target_returned', { pool, target, reason: ejection.reason });
  }

  /** Gives targets that are watched for the first time what an earlier process knew of them. */
  #revive(pool: WatchedPool): void {
    if (this.#restored.size === 0) return;
    const { clock } = this.#options;
    const now = clock.wallTime();
    for (const [key, watched] of pool.members) {
      const record = this.#restored.get(key);
      if (record === undefined) continue;
      this.#restored.delete(key);
      const { ejection, times, onTrial } = agedRecord(record, pool, now);
      watched.times = times;
      watched.passive = { ...noPassiveFailures, onTrial };
      const others = [...pool.members.values()].filter((other) => other.ejection !== null).length;
      // The rules, or the targets, may be fewer than they were.
      const mayStay =
        ejection?.reason === 'max_fails'
          ? pool.members.size > 1
          : mayEject(pool.members.size, others, pool.outlier?.maxEjectionPercent ?? 0);
      if (ejection === null || !mayStay) continue;
      const untilMs = clock.nowMs() + ejection.until.getTime() - now.getTime();
      watched.ejection = { ...ejection, sinceMs: clock.nowMs(), untilMs };
      watched.ejectedInInterval = true;
    }
  }

  /** The end of an interval: compares the targets with each other. */
  #look(pool: WatchedPool, rules: OutlierRules): void {
    const samples = new Map<string, Sample>();
    for (const [key, watched] of pool.members) {
      const counts = this.#counts(watched.slot);
      if (watched.ejection === null) samples.set(key, sampleOf(watched.base, counts));
      watched.base = counts;
    }
    const found = [
      ...failureRateOutliers(samples, rules).map((key) => [key, 'failure_rate'] as const),
      ...latencyOutliers(samples, rules).map((key) => [key, 'latency'] as const),
    ];
    for (const [key, reason] of found) {
      const watched = pool.members.get(key);
      if (watched) this.#ejectOutlier(pool, rules, watched, reason);
    }
    for (const watched of pool.members.values()) {
      if (!watched.ejectedInInterval) watched.times = Math.max(0, watched.times - 1);
      watched.ejectedInInterval = watched.ejection !== null;
    }
  }

  #counts(slot: number): Counts {
    const { counters } = this.#options;
    const values = counters.target(slot);
    const value = (...names: readonly string[]): number =>
      names.reduce((sum, name) => sum + (values.get(name) ?? 0), 0);
    return {
      // A session says nothing by being opened; an answer does.
      successes: value('connections_opened', 'to_client_datagrams'),
      failedConnects: value(
        'connect_refused',
        'connect_timed_out',
        'connect_unreachable',
        'connect_failed_other',
        'icmp_errors',
      ),
      resets: value('resets', 'ended_unanswered'),
      connectUs: counters.targetConnectUs(slot),
    };
  }
}

function sampleOf(before: Counts, after: Counts): Sample {
  const successes = after.successes - before.successes;
  const failedConnects = after.failedConnects - before.failedConnects;
  const resets = after.resets - before.resets;
  const connectUs = successes === 0 ? null : (after.connectUs - before.connectUs) / successes;
  return { attempts: successes + failedConnects, failures: failedConnects + resets, connectUs };
}
