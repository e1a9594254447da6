// RowMeter: what has been added to one row of counters since it was last asked. Counters only rise
// and a slot may get another owner, so that a meter belongs to one owner and one slot.
import { countNames, type StepTally } from './step-tally.js';

export class RowMeter {
  readonly slot: number;
  /** null before the first reading, which tells nothing of the time before. */
  #last: Float64Array | null = null;
  /** null: no turn so far. */
  #lastBuckets: Uint32Array | null = null;
  #turnsRead = false;

  constructor(slot: number) {
    this.slot = slot;
  }

  /** `sums` in the order of countNames; they are the caller's. */
  count(sums: Float64Array, into: StepTally): void {
    if (this.#last === null) {
      this.#last = sums.slice();
      return;
    }
    for (let index = 0; index < countNames.length; index++) {
      const now = sums[index] ?? 0;
      into.counts[index] = (into.counts[index] ?? 0) + now - (this.#last[index] ?? 0);
      this.#last[index] = now;
    }
  }

  /**
   * `read` fills an array of `bucketCount` buckets and one number more, and returns false when
   * nothing has changed; as EngineCounters.readTargetResponses does.
   */
  countTurns(
    read: (slot: number, into: Uint32Array) => boolean,
    scratch: Uint32Array,
    into: StepTally,
  ): void {
    const bucketCount = scratch.length - 1;
    const known = this.#lastBuckets;
    scratch[bucketCount] = known?.[bucketCount] ?? 0;
    const isFirst = !this.#turnsRead;
    this.#turnsRead = true;
    if (!read(this.slot, scratch)) return;
    const last = known ?? new Uint32Array(scratch.length);
    for (let index = 0; index < bucketCount && !isFirst; index++) {
      const added = ((scratch[index] ?? 0) - (last[index] ?? 0)) >>> 0;
      into.addTurns(index, added, bucketCount);
    }
    last.set(scratch);
    this.#lastBuckets = last;
  }
}
