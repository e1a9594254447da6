// What a HistoryKeeper reads, as a test wants it: counters by slot, and a placement to change.
import { HistoryKeeper } from '../../src/metrics/history-keeper.js';
import type { PlacedTarget, Placement } from '../../src/model/placement.js';
import { FakeClock } from './fake-clock.js';

export const bucketCount = 124;

interface Row {
  opened: number;
  toTargetBytes: number;
  toClientBytes: number;
  errors: number;
  active: number;
}

export class FakeRows {
  readonly #rows = new Map<number, Row>();

  at(slot: number): Row {
    const row = this.#rows.get(slot) ?? {
      opened: 0,
      toTargetBytes: 0,
      toClientBytes: 0,
      errors: 0,
      active: 0,
    };
    this.#rows.set(slot, row);
    return row;
  }

  read = (slot: number, into: Float64Array): void => {
    const { opened, toTargetBytes, toClientBytes, errors } = this.at(slot);
    into.set([opened, toTargetBytes, toClientBytes, errors]);
  };
}

export const placed = (name: string, slot: number | null, more: Partial<PlacedTarget> = {}) => ({
  name,
  address: `192.0.2.1:${name}`,
  slot,
  weight: 1,
  standing: 'healthy' as const,
  eligible: true,
  ...more,
});

export function setupHistory(first: Placement | null) {
  const clock = new FakeClock();
  const listeners = new FakeRows();
  const targets = new FakeRows();
  const turns = new Map<number, Uint32Array>();
  const losses = new Map<string, number>();
  let placement = first;
  let version = first === null ? 0 : 1;
  const keeper = new HistoryKeeper({
    clock,
    version: () => version,
    placement: () => placement,
    counters: {
      responseBuckets: bucketCount,
      listenerSums: () => listeners.read,
      listenerActive: (slot) => listeners.at(slot).active,
      listenerCloseReasons: () => losses,
      targetSums: () => targets.read,
      targetActive: (slot) => targets.at(slot).active,
      readTargetResponses: (slot, into) => {
        const buckets = turns.get(slot);
        if (buckets === undefined || into[bucketCount] === buckets[bucketCount]) return false;
        into.set(buckets);
        return true;
      },
    },
  });
  return {
    clock,
    keeper,
    listeners,
    targets,
    losses,
    place: (next: Placement) => {
      placement = next;
      version++;
    },
    /** So many turns of a bucket; the sum after the buckets only has to change. */
    addTurns: (slot: number, bucket: number, count: number) => {
      const buckets = turns.get(slot) ?? new Uint32Array(bucketCount + 1);
      buckets[bucket] = (buckets[bucket] ?? 0) + count;
      buckets[bucketCount] = (buckets[bucketCount] ?? 0) + 1;
      turns.set(slot, buckets);
    },
    history: (subject: string, window: '2m' | '1h' = '2m') => {
      const found = keeper.read(subject, window);
      if (typeof found === 'string') throw new Error(`${subject} is ${found}`);
      return found;
    },
  };
}
