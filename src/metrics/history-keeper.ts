// HistoryKeeper: samples the engine's counters once a second and keeps the last hour of every
// listener, pool and target, and of all together, in bounded memory: seconds for two minutes,
// steps of ten seconds for the hour.
// The bound: `subjectsMax` subjects of 21 KiB each, 41 MiB; what targets are measured from is some
// 0.5 KiB each beside it. Beyond it the total, listeners
// and pools come first, then targets in the order of the configuration; a target without a history
// of its own is still in that of its pool.
import type { Clock, Timer } from '../clock.js';
import type { EngineCounters, SumReader } from '../engine/engine.js';
import type { History, HistoryWindow } from '../model/history.js';
import { noRates, type Overview, type Rates } from '../model/overview.js';
import { type Placement, standings } from '../model/placement.js';
import { RowMeter } from './row-meter.js';
import { StepAxis } from './step-axis.js';
import { countNames, StepTally } from './step-tally.js';
import { SubjectRings } from './subject-rings.js';

export const fineStepMs = 1000;
export const fineSteps = 120;
export const coarseStepMs = 10_000;
export const coarseSteps = 360;
export const subjectsMax = 2000;
/** The event loop has its turn after so many: 1 000 take 1 to 2 ms. */
const targetsPerTurn = 1000;

export type HistoryCounters = Pick<
  EngineCounters,
  | 'listenerSums'
  | 'listenerActive'
  | 'listenerCloseReasons'
  | 'targetSums'
  | 'targetActive'
  | 'readTargetResponses'
  | 'responseBuckets'
>;

export interface HistoryOptions {
  readonly clock: Clock;
  readonly counters: HistoryCounters;
  /** Rises with each table and each change of how a target stands; 0 before the first table. */
  readonly version: () => number;
  /** What is so now; asked for once per version. null before the first table. */
  readonly placement: () => Placement | null;
}

/** In the order of countNames. */
const listenerGroups = [
  ['connections_opened', 'sessions_opened'],
  ['to_target_bytes'],
  ['to_client_bytes'],
  [
    'accept_errors',
    'datagrams_dropped_sessions_full',
    'datagrams_dropped_no_target',
    'datagrams_dropped_would_block',
    'datagrams_dropped_truncated',
    'datagrams_dropped_send_error',
    'datagrams_dropped_local_error',
  ],
];
const targetGroups = [
  ['connections_opened', 'sessions_opened'],
  ['to_target_bytes'],
  ['to_client_bytes'],
  [
    'connect_refused',
    'connect_timed_out',
    'connect_unreachable',
    'connect_failed_local',
    'connect_failed_other',
    'resets',
    'icmp_errors',
  ],
];
/** Ends that a client did not ask for. */
const lossReasons = [
  'connect_failed',
  'connect_timeout',
  'no_target',
  'queue_full',
  'queue_timeout',
  'park_full',
  'park_timeout',
  'target_reset',
  'limit',
  'local_error',
];

interface ListenerSubject {
  readonly meter: RowMeter;
  readonly rings: SubjectRings | null;
}

interface TargetSubject {
  /** null: no address, nothing to count. */
  readonly meter: RowMeter | null;
  readonly rings: SubjectRings | null;
  readonly standing: number;
}

interface PoolSubject {
  readonly targets: readonly TargetSubject[];
  readonly rings: SubjectRings | null;
  readonly eligible: number;
}

export class HistoryKeeper {
  readonly #options: HistoryOptions;
  readonly #readListener: SumReader;
  readonly #readTarget: SumReader;
  readonly #fine = new StepAxis(fineStepMs, fineSteps);
  readonly #coarse = new StepAxis(coarseStepMs, coarseSteps);
  readonly #sums = new Float64Array(countNames.length);
  readonly #bucketScratch: Uint32Array;
  /** Of what has no rings. */
  readonly #tallyScratch = new StepTally();
  readonly #total: SubjectRings;
  #version = 0;
  /** By `listener:NAME` and so on; a null is known and beyond the bound. */
  #rings = new Map<string, SubjectRings | null>();
  #meters = new Map<string, RowMeter>();
  #listeners: readonly ListenerSubject[] = [];
  #pools: readonly PoolSubject[] = [];
  #lastMs: number | null = null;
  #coarseFromMs = 0;
  #dueMs: number;
  #timer: Timer | null = null;

  constructor(options: HistoryOptions) {
    const { clock, counters } = options;
    this.#options = options;
    this.#readListener = counters.listenerSums(listenerGroups);
    this.#readTarget = counters.targetSums(targetGroups);
    this.#bucketScratch = new Uint32Array(counters.responseBuckets + 1);
    this.#total = new SubjectRings(this.#fine, this.#coarse, false);
    this.#dueMs = clock.nowMs();
    this.#goOn(this.#sample());
  }

  /** Series of `total`, `listener:NAME`, `pool:NAME` or `target:POOL/NAME`. */
  read(subject: string, window: HistoryWindow): History | 'unknown' | 'not_kept' {
    const rings = subject === 'total' ? this.#total : this.#rings.get(subject);
    if (rings === undefined) return 'unknown';
    if (rings === null) return 'not_kept';
    const { clock } = this.#options;
    const axis = window === '2m' ? this.#fine : this.#coarse;
    const columns = rings.read(window === '2m' ? 'fine' : 'coarse');
    // So that a step of the wall clock never makes time run backwards here.
    const offsetMs = clock.wallTime().getTime() - clock.nowMs();
    return {
      subject,
      window,
      endMs: axis.steps().map((step) => Math.round(axis.endOf(step) + offsetMs)),
      ...columns,
      standing: subject.startsWith('target:') ? columns.standing : null,
    };
  }

  /** Standings are those of this moment, rates those of the last second. */
  overview(): Overview {
    const { listeners, pools } = this.#options.placement() ?? { listeners: [], pools: [] };
    const ratesOf = (key: string): Rates => this.#rings.get(key)?.rates() ?? noRates;
    return {
      total: this.#total.rates(),
      listeners: listeners.map(({ slot: _, ...listener }) => ({
        ...listener,
        ...ratesOf(`listener:${listener.name}`),
      })),
      pools: pools.map((pool) => ({
        name: pool.name,
        policy: pool.policy,
        ...ratesOf(`pool:${pool.name}`),
        targets: pool.targets.map(({ slot: _, ...target }) => ({
          ...target,
          ...ratesOf(`target:${pool.name}/${target.name}`),
        })),
      })),
    };
  }

  /** How many have a history of their own. */
  get subjects(): number {
    return 1 + [...this.#rings.values()].filter((rings) => rings !== null).length;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #goOn(sample: Iterator<void>): void {
    const { clock } = this.#options;
    if (sample.next().done !== true) {
      this.#timer = clock.after(0, () => this.#goOn(sample));
      return;
    }
    const nowMs = clock.nowMs();
    this.#dueMs += fineStepMs;
    // What a frozen loop has missed is one long step.
    if (this.#dueMs <= nowMs) this.#dueMs = nowMs + fineStepMs;
    this.#timer = clock.after(this.#dueMs - nowMs, () => this.#goOn(this.#sample()));
  }

  /** In slices, so that thousands of targets hold up nothing. */
  *#sample(): Generator<void, void> {
    const version = this.#options.version();
    if (version !== this.#version) {
      this.#version = version;
      this.#follow(this.#options.placement());
    }
    const nowMs = this.#options.clock.nowMs();
    for (const listener of this.#listeners) this.#countListener(listener);
    let counted = 0;
    for (const pool of this.#pools) {
      for (const target of pool.targets) {
        this.#countTarget(target, pool.rings?.tally ?? null);
        if (++counted % targetsPerTurn === 0) yield;
      }
      const { tally } = this.#total;
      if (pool.rings !== null) pool.rings.tally.eligibleMin = pool.eligible;
      tally.eligibleMin =
        (Number.isFinite(tally.eligibleMin) ? tally.eligibleMin : 0) + pool.eligible;
    }
    this.#endStep(nowMs);
  }

  #countListener({ meter, rings }: ListenerSubject): void {
    const { counters } = this.#options;
    const tally = rings?.tally ?? this.#cleanScratch();
    this.#readListener(meter.slot, this.#sums);
    const closed = counters.listenerCloseReasons(meter.slot);
    for (const reason of lossReasons)
      this.#sums[3] = (this.#sums[3] ?? 0) + (closed.get(reason) ?? 0);
    meter.count(this.#sums, tally);
    tally.activeMax = counters.listenerActive(meter.slot);
    this.#total.tally.addCounts(tally);
    this.#total.tally.activeMax += tally.activeMax;
  }

  #countTarget({ meter, rings, standing }: TargetSubject, pool: StepTally | null): void {
    const { counters } = this.#options;
    const tally = rings?.tally ?? this.#cleanScratch();
    tally.standing = standing;
    if (meter === null) return;
    this.#readTarget(meter.slot, this.#sums);
    meter.count(this.#sums, tally);
    meter.countTurns(counters.readTargetResponses, this.#bucketScratch, tally);
    tally.activeMax = counters.targetActive(meter.slot);
    if (pool !== null) {
      pool.addCounts(tally);
      pool.activeMax += tally.activeMax;
    }
    this.#total.tally.addResponses(tally);
  }

  #cleanScratch(): StepTally {
    this.#tallyScratch.reset();
    return this.#tallyScratch;
  }

  #endStep(nowMs: number): void {
    const all = [this.#total, ...this.#rings.values()];
    if (this.#lastMs === null) {
      // Nothing has been counted yet: this is where time begins.
      for (const rings of all) rings?.tally.reset();
      this.#lastMs = nowMs;
      this.#coarseFromMs = nowMs;
      return;
    }
    const elapsedMs = Math.max(1, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    for (const rings of all) rings?.endFine(elapsedMs);
    this.#fine.end(nowMs);
    const coarseMs = nowMs - this.#coarseFromMs;
    if (coarseMs < coarseStepMs - fineStepMs / 2) return;
    this.#coarseFromMs = nowMs;
    for (const rings of all) rings?.endCoarse(coarseMs);
    this.#coarse.end(nowMs);
  }

  /** Another table: who is still there goes on, who is gone is forgotten. */
  #follow(placement: Placement | null): void {
    if (placement === null) return;
    const before = { rings: this.#rings, meters: this.#meters };
    this.#rings = new Map();
    this.#meters = new Map();
    let room = subjectsMax - 1;
    const ringsOf = (key: string): SubjectRings | null => {
      const isNew = this.#lastMs !== null;
      const rings =
        room-- > 0
          ? (before.rings.get(key) ?? new SubjectRings(this.#fine, this.#coarse, isNew))
          : null;
      this.#rings.set(key, rings);
      return rings;
    };
    const meterOf = (key: string, slot: number): RowMeter => {
      const known = before.meters.get(key);
      const meter = known?.slot === slot ? known : new RowMeter(slot);
      this.#meters.set(key, meter);
      return meter;
    };
    this.#listeners = placement.listeners.map(({ name, slot }) => {
      const key = `listener:${name}`;
      return { meter: meterOf(key, slot), rings: ringsOf(key) };
    });
    const poolRings = placement.pools.map(({ name }) => ringsOf(`pool:${name}`));
    this.#pools = placement.pools.map(({ name: pool, targets }, index) => ({
      rings: poolRings[index] ?? null,
      eligible: targets.filter(({ eligible }) => eligible).length,
      targets: targets.map(({ name, slot, standing }) => {
        const key = `target:${pool}/${name}`;
        const meter = slot === null ? null : meterOf(key, slot);
        return { meter, rings: ringsOf(key), standing: standings.indexOf(standing) };
      }),
    }));
  }
}
