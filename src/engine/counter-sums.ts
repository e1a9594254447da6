// Reads counters of many rows often, as a history does every second: no map, no allocation, and
// what has not changed is not read.
import type { EngineCounters } from './engine.js';
import type { CounterRow, Layout, RegionLayout } from './layout.js';

export interface SumSources {
  readonly words: Uint32Array;
  readonly layout: Layout;
  readonly region: RegionLayout;
  readonly workers: number;
  /** Throws a RangeError for a slot that does not exist. */
  checkSlot(slot: number, limit: number): void;
  /** Sums the u64 at `offset` bytes into each worker's block. */
  sum(offset: number): number;
}

type CounterSums = Pick<
  EngineCounters,
  'listenerSums' | 'targetSums' | 'responseBuckets' | 'readTargetResponses'
>;

export function openCounterSums(sources: SumSources): CounterSums {
  const { words, layout, region, workers, checkSlot, sum } = sources;
  const { constants, counters: rows } = layout;

  function reader(row: CounterRow, firstRow: number, limit: number) {
    const offsetOf = (name: string): number => {
      const found = row.counters.find((counter) => counter.name === name);
      if (found === undefined) throw new RangeError(`no counter ${name}`);
      return found.offset;
    };
    return (groups: readonly (readonly string[])[]) => {
      const offsets = groups.map((names) => names.map(offsetOf));
      return (slot: number, into: Float64Array): void => {
        checkSlot(slot, limit);
        const at = firstRow + slot * row.bytes;
        for (let group = 0; group < offsets.length; group++) {
          let total = 0;
          for (const offset of offsets[group] ?? []) total += sum(at + offset);
          into[group] = total;
        }
      };
    };
  }

  return {
    listenerSums: reader(rows.listener, region.listener_rows, constants.listener_slots_max),
    targetSums: reader(rows.target, region.target_rows, constants.target_slots_max),
    responseBuckets: constants.histogram_buckets,
    readTargetResponses(slot, into) {
      checkSlot(slot, constants.target_slots_max);
      const at = region.response_rows + slot * constants.histogram_bytes;
      const count = constants.histogram_buckets;
      // The low halves only: differences of a second are right modulo 2^32.
      const low = (offset: number): number => {
        let total = 0;
        for (let worker = 0; worker < workers; worker++) {
          const block = region.first_worker + worker * region.worker_bytes;
          total += words[(block + offset) / 4] ?? 0;
        }
        return total >>> 0;
      };
      const sumUs = low(at + constants.histogram_sum);
      if (into[count] === sumUs) return false;
      into[count] = sumUs;
      for (let index = 0; index < count; index++) into[index] = low(at + index * 8);
      return true;
    },
  };
}
