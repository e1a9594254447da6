// HealthChecker: probes every target on its own schedule and reports changes of verdicts. It knows
// nothing of tables or of an engine: the callback is connected by app.
import type { Clock } from '../clock.js';
import type { ResolvedNames } from '../model/address-text.js';
import type { HealthChange, ProbeDetail, ProbeResult, RoleReport } from '../model/health.js';
import { asksTheSame } from '../model/health-check.js';
import type { Pool } from '../model/pool.js';
import type { AdminState, Health } from '../model/target.js';
import { configuredKey } from '../model/target-key.js';
import { afterPassiveFailure, afterProbe, undecided, type Verdict } from './hysteresis.js';
import { type Probes, startProbe } from './probe-kinds.js';
import { ProbeQueue } from './probe-queue.js';
import { firstDueMs, nextDueMs, sameDistances } from './schedule.js';
import { StallMeter } from './stall-meter.js';
import {
  createWatchedTarget,
  detailOf,
  type ProbeWish,
  probeRequest,
  probeWishes,
  record,
  type WatchedTarget,
} from './watched-target.js';

export interface CheckerOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly probes: Probes;
  /** Called when a verdict changes, and only then. */
  readonly onChange: (change: HealthChange) => void;
  /** Called with every probe that told anything at all, before the verdict that it makes. */
  readonly onRole?: (report: RoleReport) => void;
  /** Called with every probe that passed; by targetKey. */
  readonly onPass?: (key: string, pool: string, startedMs: number) => void;
  /**
   * Probes under way at once, over all pools (default 256); each may hold a descriptor. The promise
   * of schedule.ts holds while it is not reached: targets x timeout / interval is the worst case.
   */
  readonly concurrency?: number;
}

/** A probe that has not settled this long after its timeout is given up, as our own fault. */
const probeGraceMs = 1000;

const lost: ProbeResult = { ok: false, latencyMs: 0, reason: 'local' };

/** Where a target stands: what failed connections and an operator's wishes name. */
function placeKey(pool: string, target: string): string {
  return JSON.stringify([pool, target]);
}

export class HealthChecker {
  readonly #options: CheckerOptions;
  readonly #concurrency: number;
  readonly #stall: StallMeter;
  readonly #queue = new ProbeQueue<WatchedTarget>();
  /** By placeKey: a pool's target names are unique, so a place holds one target at a time. */
  readonly #watched = new Map<string, WatchedTarget>();
  #pools: readonly Pool[] = [];
  /** configuredKeys of disabled targets; never more than there are targets. */
  #disabled: ReadonlySet<string> = new Set();
  #restored: ReadonlyMap<string, Health> = new Map();
  #underWay = 0;

  constructor(options: CheckerOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? 256;
    this.#stall = new StallMeter(options.clock);
  }

  /**
   * Verdicts of an earlier process, by targetKey, for the targets that the first update() names:
   * each stands until one probe has ended, which decides.
   */
  restore(verdicts: ReadonlyMap<string, Health>): void {
    this.#restored = verdicts;
  }

  /**
   * Probes these targets from now on, and no others. Called after a reload and whenever a name
   * resolves anew. A target that stays (same pool, name and address) keeps its verdict and counts;
   * changed settings apply from its next probe on.
   */
  update(pools: readonly Pool[], names: ResolvedNames): void {
    const wishes = new Map(
      probeWishes(pools, names).map((wish) => [placeKey(wish.pool, wish.target), wish]),
    );
    for (const [place, watched] of this.#watched) {
      if (wishes.get(place)?.key !== watched.wish.key) this.#forget(place, watched);
    }
    this.#pools = pools;
    this.#keepDisabled(pools);
    const added: WatchedTarget[] = [];
    for (const [place, wish] of wishes) {
      const watched = this.#watched.get(place);
      if (watched) {
        this.#replaceWish(watched, wish);
      } else {
        const created = createWatchedTarget(wish);
        const restored = this.#restored.get(wish.key);
        if (restored !== undefined) created.verdict = undecided(restored);
        this.#watched.set(place, created);
        if (this.#disabled.has(wish.configuredKey)) created.phase = 'paused';
        else added.push(created);
      }
    }
    this.#restored = new Map();
    const nowMs = this.#options.clock.nowMs();
    for (const [index, watched] of added.entries()) {
      const position = { index, count: added.length };
      this.#rest(watched, firstDueMs(watched.wish.check, position, nowMs, this.#options.random()));
    }
  }

  /**
   * Probes go on while a target drains, stop while it is disabled (as HAProxy's DRAIN and MAINT).
   * Enabled again it keeps its last verdict, is probed at once, and that one probe decides.
   */
  setAdminState(pool: string, target: string, state: AdminState): void {
    const configured = this.#pools
      .find(({ name }) => name === pool)
      ?.targets.find(({ name }) => name === target);
    if (!configured) return;
    const key = configuredKey(pool, configured);
    const disabled = new Set(this.#disabled);
    if (state === 'disabled') disabled.add(key);
    else disabled.delete(key);
    this.#disabled = disabled;
    const watched = this.#watched.get(placeKey(pool, target));
    if (watched && state === 'disabled') this.#pause(watched);
    else if (watched?.phase === 'paused') this.#resume(watched);
  }

  /**
   * Passive health: a connection of a client to this target could not be made, or its session got
   * an ICMP error. Not for failures of our own (no descriptor, no source port).
   */
  connectFailed(pool: string, target: string): void {
    const watched = this.#watched.get(placeKey(pool, target));
    if (watched?.phase !== 'probed') return;
    const verdict = afterPassiveFailure(watched.verdict, watched.wish.check);
    this.#judge(watched, verdict, { reason: 'connect_failed', latencyMs: null, detail: '' });
  }

  /** All targets that are probed, paused ones too. */
  snapshot(): readonly ProbeDetail[] {
    return [...this.#watched.values()].map(detailOf);
  }

  /** How busy the checker is; `waiting` above 0 for long means that the concurrency is too low. */
  load(): { readonly underWay: number; readonly waiting: number } {
    return { underWay: this.#underWay, waiting: this.#queue.size };
  }

  /** No probe starts and nothing is reported after this. Idempotent. */
  close(): void {
    for (const [place, watched] of this.#watched) this.#forget(place, watched);
    this.#stall.close();
  }

  #keepDisabled(pools: readonly Pool[]): void {
    if (this.#disabled.size === 0) return;
    const keys = pools.flatMap((pool) =>
      pool.targets.map((each) => configuredKey(pool.name, each)),
    );
    this.#disabled = new Set(keys.filter((key) => this.#disabled.has(key)));
  }

  #forget(place: string, watched: WatchedTarget): void {
    this.#stopWaiting(watched);
    watched.phase = 'gone';
    watched.epoch++;
    this.#watched.delete(place);
  }

  #stopWaiting(watched: WatchedTarget): void {
    watched.timer?.cancel();
    watched.timer = null;
    this.#queue.delete(watched.wish.pool, watched);
  }

  #replaceWish(watched: WatchedTarget, wish: ProbeWish): void {
    const before = watched.wish;
    watched.wish = wish;
    const { check } = wish;
    if (!asksTheSame(before.check, check)) watched.epoch++;
    if (watched.timer === null || sameDistances(before.check, check)) return;
    // Spread, because a shorter interval may make every target of the pool overdue at once.
    const { clock, random } = this.#options;
    const spreadMs = clock.nowMs() + check.intervalMs * random();
    this.#rest(watched, Math.min(watched.dueMs, spreadMs));
  }

  #pause(watched: WatchedTarget): void {
    this.#stopWaiting(watched);
    watched.phase = 'paused';
    watched.epoch++;
  }

  #resume(watched: WatchedTarget): void {
    watched.phase = 'probed';
    watched.verdict = undecided(watched.verdict.health);
    // One that was under way at the pause ends first: probes of one target never overlap.
    if (!watched.underWay) this.#rest(watched, this.#options.clock.nowMs());
  }

  #rest(watched: WatchedTarget, dueMs: number): void {
    const { clock } = this.#options;
    this.#stopWaiting(watched);
    watched.dueMs = dueMs;
    watched.timer = clock.after(Math.max(0, dueMs - clock.nowMs()), () => {
      watched.timer = null;
      this.#queue.add(watched.wish.pool, watched);
      this.#startDue();
    });
  }

  #startDue(): void {
    while (this.#underWay < this.#concurrency) {
      const watched = this.#queue.take();
      if (!watched) return;
      this.#start(watched);
    }
  }

  #start(watched: WatchedTarget): void {
    const { clock, probes } = this.#options;
    const { wish, epoch } = watched;
    const request = probeRequest(wish);
    const { timeoutMs } = request;
    watched.underWay = true;
    watched.startedMs = clock.nowMs();
    watched.probes++;
    this.#underWay++;
    this.#stall.start();
    const stalledBeforeMs = this.#stall.readMs();
    let settled = false;
    const finish = (result: ProbeResult): void => {
      if (settled) return;
      settled = true;
      guard.cancel();
      this.#underWay--;
      watched.underWay = false;
      const stalledMs = this.#stall.readMs() - stalledBeforeMs;
      if (this.#underWay === 0) this.#stall.close();
      const standstill = result.reason === 'timed_out' && stalledMs > timeoutMs / 2;
      if (watched.phase === 'probed') {
        this.#finish(watched, result, {
          isVoid: standstill || result.reason === 'local',
          isCurrent: watched.epoch === epoch,
        });
      }
      this.#startDue();
    };
    const guard = clock.after(timeoutMs + probeGraceMs, () => finish(lost));
    void startProbe(probes, wish.check.kind, request).then(finish);
  }

  /**
   * `isVoid`: the probe told nothing of the target, because of this process itself. `isCurrent`: no
   * other question and no pause since it started; otherwise the next one starts at once.
   */
  #finish(
    watched: WatchedTarget,
    result: ProbeResult,
    { isVoid, isCurrent }: { readonly isVoid: boolean; readonly isCurrent: boolean },
  ): void {
    const { clock, random } = this.#options;
    if (!isCurrent) {
      this.#rest(watched, clock.nowMs());
      return;
    }
    record(watched, result, isVoid);
    const { wish, dueMs, startedMs } = watched;
    const before = watched.verdict;
    const verdict = isVoid ? before : afterProbe(before, result.ok, wish.check);
    const times = { dueMs, startedMs, endedMs: clock.nowMs() };
    this.#rest(watched, nextDueMs(wish.check, verdict, times, random()));
    const { reason, latencyMs, facts } = result;
    if (!isVoid) {
      const { pool, target, endpoint } = wish;
      const role = (result.ok && facts?.role) || null;
      this.#options.onRole?.({ pool, target, endpoint, ok: result.ok, role });
      if (result.ok) this.#options.onPass?.(wish.key, pool, startedMs);
    }
    this.#judge(watched, verdict, { reason, latencyMs, detail: facts?.detail ?? '' });
  }

  #judge(
    watched: WatchedTarget,
    verdict: Verdict,
    why: Pick<HealthChange, 'reason' | 'latencyMs' | 'detail'>,
  ): void {
    const changed = verdict.health !== watched.verdict.health;
    watched.verdict = verdict;
    if (changed || (verdict.decided && watched.since === null)) {
      watched.since = this.#options.clock.wallTime();
    }
    if (!changed) return;
    const { pool, target, endpoint } = watched.wish;
    this.#options.onChange({ pool, target, endpoint, health: verdict.health, ...why });
  }
}
