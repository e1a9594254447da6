// SubjectRings: the steps of the last hour of one listener, pool or target, in memory that is as
// large at its first step as at its last.
import type { Series } from '../model/history.js';
import type { Rates } from '../model/overview.js';
import { standings, type TargetStanding } from '../model/placement.js';
import type { StepAxis } from './step-axis.js';
import { StepTally } from './step-tally.js';

/** In the order of a row. */
const columns = [
  'openedPerSecond',
  'toTargetBytesPerSecond',
  'toClientBytesPerSecond',
  'errorsPerSecond',
  'active',
  'p50Ms',
  'p95Ms',
  'p99Ms',
  'standing',
  'eligible',
] as const;

type Column = (typeof columns)[number];
export type StepColumns = Readonly<Record<Exclude<Column, 'standing'>, Series>> & {
  readonly standing: readonly (TargetStanding | null)[];
};

/** Bytes that one subject takes for `rows` steps, its tallies aside. */
export const bytesOfRows = (rows: number): number => rows * columns.length * 4;

class Ring {
  /** The first step that this subject was there for. */
  readonly #first: number;
  readonly #axis: StepAxis;
  readonly #values: Float32Array;

  constructor(axis: StepAxis, first: number) {
    this.#axis = axis;
    this.#first = first;
    this.#values = new Float32Array(axis.rows * columns.length);
  }

  write(tally: StepTally, elapsedMs: number): void {
    const at = (this.#axis.count % this.#axis.rows) * columns.length;
    const values = this.#values;
    const { counts } = tally;
    for (let index = 0; index < counts.length; index++) {
      values[at + index] = ((counts[index] ?? 0) * 1000) / elapsedMs;
    }
    values[at + 4] = tally.activeMax;
    values[at + 5] = tally.quantile(0.5);
    values[at + 6] = tally.quantile(0.95);
    values[at + 7] = tally.quantile(0.99);
    values[at + 8] = tally.standing;
    values[at + 9] = tally.eligibleMin;
  }

  /** null before the first step. */
  latest(column: Column): number | null {
    const step = this.#axis.count - 1;
    if (step < this.#first) return null;
    return this.#value(step, columns.indexOf(column));
  }

  read(): StepColumns {
    const steps = this.#axis.steps();
    const series = (column: Column): Series => {
      const offset = columns.indexOf(column);
      return steps.map((step) => (step < this.#first ? null : this.#value(step, offset)));
    };
    const named = (column: Column) => [column, series(column)] as const;
    const all = Object.fromEntries(columns.map(named)) as Record<Column, Series>;
    const standing = all.standing.map((value) => (value === null ? null : standings[value]));
    return { ...all, standing: standing.map((value) => value ?? null) };
  }

  #value(step: number, offset: number): number | null {
    const value = this.#values[(step % this.#axis.rows) * columns.length + offset];
    if (value === undefined || !Number.isFinite(value)) return null;
    // What single precision can tell, without its tail of digits.
    return Number(value.toPrecision(6));
  }
}

export class SubjectRings {
  /** Of the present second. */
  readonly tally = new StepTally();
  readonly #coarseTally = new StepTally();
  readonly #fine: Ring;
  readonly #coarse: Ring;

  /** `isNew`: its first sample says only where its counters stand, and not what they did. */
  constructor(fine: StepAxis, coarse: StepAxis, isNew: boolean) {
    this.#fine = new Ring(fine, fine.count + (isNew ? 1 : 0));
    this.#coarse = new Ring(coarse, coarse.count);
  }

  endFine(elapsedMs: number): void {
    this.#fine.write(this.tally, elapsedMs);
    this.#coarseTally.addStep(this.tally);
    this.tally.reset();
  }

  endCoarse(elapsedMs: number): void {
    this.#coarse.write(this.#coarseTally, elapsedMs);
    this.#coarseTally.reset();
  }

  /** Of the last second. */
  rates(): Rates {
    return {
      active: this.#fine.latest('active'),
      openedPerSecond: this.#fine.latest('openedPerSecond'),
      toTargetBytesPerSecond: this.#fine.latest('toTargetBytesPerSecond'),
      toClientBytesPerSecond: this.#fine.latest('toClientBytesPerSecond'),
      errorsPerSecond: this.#fine.latest('errorsPerSecond'),
      p50Ms: this.#fine.latest('p50Ms'),
      p95Ms: this.#fine.latest('p95Ms'),
      p99Ms: this.#fine.latest('p99Ms'),
    };
  }

  read(resolution: 'fine' | 'coarse'): StepColumns {
    return resolution === 'fine' ? this.#fine.read() : this.#coarse.read();
  }
}
