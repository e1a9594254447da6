// Generations: the numbers of tables. A number is taken when a table is built and never again, so
// that a log line or a waiting test always means one table.

interface Waiter {
  readonly generation: number;
  readonly resolve: (applied: boolean) => void;
}

export class Generations {
  #last = 0;
  #applied = 0;
  #onTheWay: number | null = null;
  #waiters: readonly Waiter[] = [];
  #closed = false;

  /** Of the table that every worker has adopted; 0 before the first. */
  get applied(): number {
    return this.#applied;
  }

  /** Of the newest table that was sent and not refused. */
  get sent(): number {
    return this.#onTheWay ?? this.#applied;
  }

  /** What the next table will have. */
  get next(): number {
    return this.#last + 1;
  }

  take(): number {
    this.#last++;
    this.#onTheWay = this.#last;
    return this.#last;
  }

  /** Ends what take() began. */
  settle(generation: number, applied: boolean): void {
    this.#onTheWay = null;
    if (!applied) return;
    this.#applied = generation;
    const due = this.#waiters.filter((waiter) => waiter.generation <= generation);
    this.#waiters = this.#waiters.filter((waiter) => waiter.generation > generation);
    for (const { resolve } of due) resolve(true);
  }

  /**
   * Resolves true when this generation or a later one is applied: a change that was to come with a
   * table that is refused comes with the next. Resolves false when that will never be.
   */
  whenApplied(generation: number): Promise<boolean> {
    if (generation <= this.#applied) return Promise.resolve(true);
    if (this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#waiters = [...this.#waiters, { generation, resolve }];
    });
  }

  close(): void {
    this.#closed = true;
    for (const { resolve } of this.#waiters) resolve(false);
    this.#waiters = [];
  }
}
