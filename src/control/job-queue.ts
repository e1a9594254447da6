// JobQueue: jobs that change the same thing, one after the other in the order in which they came.

export class JobQueue {
  #tail: Promise<unknown> = Promise.resolve();

  /** A job that throws met a mistake of ours: the process ends, unless its caller takes it. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(job);
    // Taken here only so that the next job runs. What is returned is a promise of its own, on
    // which nobody has looked yet: an error that its caller drops is not lost.
    this.#tail = run.catch(() => undefined);
    return run.then((value) => value);
  }

  /** Resolves when all jobs that have come until now are done. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
