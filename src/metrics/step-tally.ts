// StepTally: what was counted in one step of time, for one subject. A sample is added to it; then
// it is added to the longer step around it, and to the subject above.
import { quantileOf } from '../model/response-times.js';

/** What is counted, in the order of the arrays. */
export const countNames = ['opened', 'toTargetBytes', 'toClientBytes', 'errors'] as const;

export class StepTally {
  readonly counts = new Float64Array(countNames.length);
  /** Made with the first turn: most targets of UDP or of streams never have one. */
  #buckets: Uint32Array | null = null;
  #turns = 0;
  activeMax = 0;
  /** The gravest standing of a target, as its place in `standings`. */
  standing = 0;
  eligibleMin = Number.POSITIVE_INFINITY;

  get buckets(): Uint32Array | null {
    return this.#buckets;
  }

  addTurns(bucket: number, count: number, bucketCount: number): void {
    if (count === 0) return;
    this.#buckets ??= new Uint32Array(bucketCount);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + count;
    this.#turns += count;
  }

  /** Counts only: what is open and how targets stand has no sum. */
  addCounts(other: StepTally): void {
    for (let index = 0; index < this.counts.length; index++) {
      this.counts[index] = (this.counts[index] ?? 0) + (other.counts[index] ?? 0);
    }
    this.addResponses(other);
  }

  addResponses({ buckets }: StepTally): void {
    if (buckets === null) return;
    for (let index = 0; index < buckets.length; index++) {
      this.addTurns(index, buckets[index] ?? 0, buckets.length);
    }
  }

  /** A shorter step that is part of this one. */
  addStep(step: StepTally): void {
    this.addCounts(step);
    this.activeMax = Math.max(this.activeMax, step.activeMax);
    this.standing = Math.max(this.standing, step.standing);
    this.eligibleMin = Math.min(this.eligibleMin, step.eligibleMin);
  }

  /** In milliseconds; NaN without turns. */
  quantile(share: number): number {
    if (this.#buckets === null || this.#turns === 0) return Number.NaN;
    return quantileOf(this.#buckets, this.#turns, share) ?? Number.NaN;
  }

  reset(): void {
    this.counts.fill(0);
    if (this.#turns > 0) this.#buckets?.fill(0);
    this.#turns = 0;
    this.activeMax = 0;
    this.standing = 0;
    this.eligibleMin = Number.POSITIVE_INFINITY;
  }
}
