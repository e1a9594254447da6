// SlotOwners: whose slot it is, and what its counters stood at when the present owner got it. The
// engine counts by slot and never resets; a slot that is used again must not pass on its past.
import type { EngineCounters } from '../engine/engine.js';
import type { ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import type { EndHistograms } from '../model/connection-ends.js';
import { type Histogram, histogramSince } from '../model/histogram.js';
import type { CounterValues } from '../model/status.js';
import { type Ids, type Slots, targetEntries } from './ids.js';

export interface TargetOwner {
  readonly pool: string;
  readonly target: string;
}

interface TargetBase {
  readonly totals: CounterValues;
  readonly responses: Histogram;
  readonly connects: Histogram;
}

interface ListenerBase {
  readonly totals: CounterValues;
  readonly closed: CounterValues;
  readonly ends: EndHistograms;
}

export interface NewBases {
  readonly targets: ReadonlyMap<number, TargetBase>;
  readonly listeners: ReadonlyMap<number, ListenerBase>;
  /** Totals. */
  readonly pools: ReadonlyMap<number, CounterValues>;
}

const noValues: CounterValues = {};

export class SlotOwners {
  readonly #counters: EngineCounters;
  /** By slot. Entries outlive their owners, for late events; there are never more than slots. */
  readonly #targets = new Map<number, TargetOwner>();
  readonly #listeners = new Map<number, string>();
  readonly #targetBases = new Map<number, TargetBase>();
  readonly #listenerBases = new Map<number, ListenerBase>();
  readonly #poolBases = new Map<number, CounterValues>();

  constructor(counters: EngineCounters) {
    this.#counters = counters;
  }

  /**
   * Called before a table with these ids is sent: from then on events may name its slots. Returns
   * where the counters of slots that are given anew stand; those slots are idle until then. To be
   * handed to adopt() when the table is applied, and dropped when it is refused.
   */
  prepare(
    { before, after }: { readonly before: Ids; readonly after: Ids },
    config: Config,
    names: ResolvedNames,
  ): NewBases {
    const targets = new Map<number, TargetBase>();
    for (const { key, pool, target } of targetEntries(config, names)) {
      const slot = after.targets.used.get(key);
      if (slot === undefined) continue;
      this.#targets.set(slot, { pool, target });
      if (!isNew(before.targets, key, slot)) continue;
      targets.set(slot, {
        totals: nonZero(this.#counters.target(slot)),
        responses: this.#counters.targetResponses(slot),
        connects: this.#counters.targetConnects(slot),
      });
    }
    const listeners = new Map<number, ListenerBase>();
    for (const [name, slot] of after.listeners.used) {
      this.#listeners.set(slot, name);
      if (!isNew(before.listeners, name, slot)) continue;
      listeners.set(slot, {
        totals: nonZero(this.#counters.listener(slot)),
        closed: nonZero(this.#counters.listenerCloseReasons(slot)),
        ends: this.#counters.listenerEnds(slot),
      });
    }
    const pools = new Map<number, CounterValues>();
    for (const [name, slot] of after.pools.used) {
      if (!isNew(before.pools, name, slot)) continue;
      pools.set(slot, nonZero(this.#counters.pool(slot)));
    }
    return { targets, listeners, pools };
  }

  adopt({ targets, listeners, pools }: NewBases): void {
    for (const [slot, base] of targets) this.#targetBases.set(slot, base);
    for (const [slot, base] of listeners) this.#listenerBases.set(slot, base);
    for (const [slot, base] of pools) this.#poolBases.set(slot, base);
  }

  /** Also for a retired slot, while its connections live. */
  target(slot: number): TargetOwner | null {
    return this.#targets.get(slot) ?? null;
  }

  listener(slot: number): string | null {
    return this.#listeners.get(slot) ?? null;
  }

  /** Since the present owner has the slot. */
  targetTotals(slot: number): CounterValues {
    return since(this.#counters.target(slot), this.#targetBases.get(slot)?.totals);
  }

  poolTotals(slot: number): CounterValues {
    return since(this.#counters.pool(slot), this.#poolBases.get(slot));
  }

  targetResponses(slot: number): Histogram {
    const base = this.#targetBases.get(slot)?.responses;
    return histogramSince(this.#counters.targetResponses(slot), base);
  }

  targetConnects(slot: number): Histogram {
    const base = this.#targetBases.get(slot)?.connects;
    return histogramSince(this.#counters.targetConnects(slot), base);
  }

  listenerEnds(slot: number): EndHistograms {
    const now = this.#counters.listenerEnds(slot);
    const base = this.#listenerBases.get(slot)?.ends;
    return {
      durationMs: histogramSince(now.durationMs, base?.durationMs),
      toTargetBytes: histogramSince(now.toTargetBytes, base?.toTargetBytes),
      toClientBytes: histogramSince(now.toClientBytes, base?.toClientBytes),
    };
  }

  listenerTotals(slot: number): CounterValues {
    return since(this.#counters.listener(slot), this.#listenerBases.get(slot)?.totals);
  }

  listenerClosed(slot: number): CounterValues {
    return since(this.#counters.listenerCloseReasons(slot), this.#listenerBases.get(slot)?.closed);
  }
}

function isNew(before: Slots, key: string, slot: number): boolean {
  return before.used.get(key) !== slot && before.retired.get(key) !== slot;
}

function nonZero(values: ReadonlyMap<string, number>): CounterValues {
  return Object.fromEntries([...values].filter(([, value]) => value !== 0));
}

function since(values: ReadonlyMap<string, number>, base: CounterValues = noValues): CounterValues {
  return Object.fromEntries([...values].map(([name, value]) => [name, value - (base[name] ?? 0)]));
}
