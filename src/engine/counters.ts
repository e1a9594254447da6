// Reads the counters where the workers write them: no call, no copy, no BigInt. Rows are summed
// over workers; each worker is the only writer of its own.
import { openCounterSums } from './counter-sums.js';
import type { CounterDescription, EngineCounters } from './engine.js';
import type { EventRing } from './event-ring.js';
import { openHistograms } from './histograms.js';
import type { CounterRow, Layout, RegionLayout } from './layout.js';
import { openTurnCounters } from './turn-counters.js';

const two32 = 2 ** 32;

export interface CounterSources {
  readonly memory: ArrayBuffer;
  readonly layout: Layout;
  readonly region: RegionLayout;
  readonly workers: number;
  readonly eventRings: readonly EventRing[];
}

/**
 * A u64 that another thread may be changing. JavaScript loads 32 bits at a time: the high half is
 * read before and after the low one, and again while it moved (once in 4 GiB).
 */
export function readU64(words: Uint32Array, index: number): number {
  let high = Atomics.load(words, index + 1);
  for (;;) {
    const low = Atomics.load(words, index);
    const again = Atomics.load(words, index + 1);
    if (again === high) return high * two32 + low;
    high = again;
  }
}

function describe(row: CounterRow): readonly CounterDescription[] {
  return row.counters.map(({ name, unit, help }) => ({ name, unit, help }));
}

function checkSlot(slot: number, limit: number): void {
  if (!Number.isInteger(slot) || slot < 0 || slot >= limit) {
    throw new RangeError(`no slot ${slot}: slots go from 0 to ${limit - 1}`);
  }
}

export function openCounters(sources: CounterSources): EngineCounters {
  const { layout, region, workers } = sources;
  const { constants, counters: rows } = layout;
  const words = new Uint32Array(sources.memory);
  const reasons = [...layout.enums.close_reason.nameOf].toSorted(([a], [b]) => a - b);
  const workerAt = (index: number) => region.first_worker + index * region.worker_bytes;

  /** Sums the u64 at `offset` bytes into each worker's block. */
  function sum(offset: number): number {
    let total = 0;
    for (let worker = 0; worker < workers; worker++) {
      total += readU64(words, (workerAt(worker) + offset) / 4);
    }
    return total;
  }

  /** A slot's u32 that all workers share. */
  function load(offset: number, slot: number, limit: number): number {
    checkSlot(slot, limit);
    return Atomics.load(words, offset / 4 + slot);
  }

  function sumRow(row: CounterRow, firstRow: number, slot: number): ReadonlyMap<string, number> {
    const at = firstRow + slot * row.bytes;
    return new Map(row.counters.map(({ name, offset }) => [name, sum(at + offset)]));
  }

  return {
    workerCounters: describe(rows.worker),
    listenerCounters: describe(rows.listener),
    targetCounters: describe(rows.target),
    poolCounters: describe(rows.pool),
    closeReasons: reasons.map(([, name]) => name),
    worker(index) {
      checkSlot(index, workers);
      const at = workerAt(index);
      return new Map(
        rows.worker.counters.map(({ name, offset }) => [name, readU64(words, (at + offset) / 4)]),
      );
    },
    listener(slot) {
      checkSlot(slot, constants.listener_slots_max);
      return sumRow(rows.listener, region.listener_rows, slot);
    },
    listenerCloseReasons(slot) {
      checkSlot(slot, constants.listener_slots_max);
      const at = region.listener_rows + slot * rows.listener.bytes + region.closed_by_reason;
      return new Map(reasons.map(([value, name]) => [name, sum(at + value * 8)]));
    },
    target(slot) {
      checkSlot(slot, constants.target_slots_max);
      return sumRow(rows.target, region.target_rows, slot);
    },
    pool(slot) {
      checkSlot(slot, constants.pool_slots_max);
      return sumRow(rows.pool, region.pool_rows, slot);
    },
    ...openTurnCounters({ words, constants, region, checkSlot }),
    ...openHistograms({ constants, region, checkSlot, sum }),
    ...openCounterSums({ words, layout, region, workers, checkSlot, sum }),
    stickyEntries: (slot) => load(region.sticky_entries, slot, constants.pool_slots_max),
    targetActive: (slot) => load(region.active, slot, constants.target_slots_max),
    listenerActive: (slot) => load(region.listener_active, slot, constants.listener_slots_max),
    eventsDropped: () => sources.eventRings.reduce((total, ring) => total + ring.dropped(), 0),
  };
}
