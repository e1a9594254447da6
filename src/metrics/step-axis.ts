// StepAxis: when the last steps ended, for all subjects at once. A fixed ring.

export class StepAxis {
  readonly stepMs: number;
  readonly rows: number;
  readonly #ends: Float64Array;
  /** Steps so far; step n is in row n % rows. */
  #count = 0;

  constructor(stepMs: number, rows: number) {
    this.stepMs = stepMs;
    this.rows = rows;
    this.#ends = new Float64Array(rows);
  }

  get count(): number {
    return this.#count;
  }

  /** After every subject has written its row. */
  end(nowMs: number): void {
    this.#ends[this.#count % this.rows] = nowMs;
    this.#count++;
  }

  /** The steps that are kept, oldest first. */
  steps(): readonly number[] {
    const kept = Math.min(this.#count, this.rows);
    return Array.from({ length: kept }, (_, index) => this.#count - kept + index);
  }

  endOf(step: number): number {
    return this.#ends[step % this.rows] ?? Number.NaN;
  }
}
