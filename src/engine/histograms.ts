// Reads the histograms that workers write, each its own: of targets' responses and connects, and of
// the ends of listeners' connections.
import type { Histogram } from '../model/histogram.js';
import type { EngineCounters } from './engine.js';
import type { Layout, RegionLayout } from './layout.js';

export interface HistogramSources {
  readonly constants: Layout['constants'];
  readonly region: RegionLayout;
  /** Throws a RangeError for a slot that does not exist. */
  checkSlot(slot: number, limit: number): void;
  /** Sums the u64 at `offset` bytes into each worker's block. */
  sum(offset: number): number;
}

type Histograms = Pick<
  EngineCounters,
  'targetResponses' | 'targetConnects' | 'targetConnectUs' | 'listenerEnds'
>;

export function openHistograms(sources: HistogramSources): Histograms {
  const { constants, region, checkSlot, sum } = sources;

  function read(at: number): Histogram {
    const buckets = new Array<number>(constants.histogram_buckets);
    for (let index = 0; index < buckets.length; index++) buckets[index] = sum(at + index * 8);
    return { buckets, sum: sum(at + constants.histogram_sum) };
  }

  /** Where a target's is among `rows`. */
  function ofTarget(rows: number, slot: number): number {
    checkSlot(slot, constants.target_slots_max);
    return rows + slot * constants.histogram_bytes;
  }

  return {
    targetResponses: (slot) => read(ofTarget(region.response_rows, slot)),
    targetConnects: (slot) => read(ofTarget(region.connect_rows, slot)),
    targetConnectUs: (slot) => sum(ofTarget(region.connect_rows, slot) + constants.histogram_sum),
    listenerEnds(slot) {
      checkSlot(slot, constants.listener_slots_max);
      const at = region.end_rows + slot * constants.end_histograms_bytes;
      return {
        durationMs: read(at + constants.end_duration_ms),
        toTargetBytes: read(at + constants.end_to_target_bytes),
        toClientBytes: read(at + constants.end_to_client_bytes),
      };
    },
  };
}
