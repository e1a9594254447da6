// ProbeQueue: targets whose probe is due but must wait for its turn. Fair between pools: each has
// a lane of its own and the lanes are served in turn, so that a pool of thousands of dead targets,
// each holding a place until its timeout, does not delay the verdict on a small pool.

export class ProbeQueue<T> {
  /** Both collections are used for their insertion order. No lane is ever empty. */
  readonly #lanes = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Bounded by its use: an item that already waits does not wait twice. */
  add(lane: string, item: T): void {
    const waiting = this.#lanes.get(lane);
    if (waiting?.has(item)) return;
    if (waiting) waiting.add(item);
    else this.#lanes.set(lane, new Set([item]));
    this.#size++;
  }

  delete(lane: string, item: T): void {
    const waiting = this.#lanes.get(lane);
    if (!waiting?.delete(item)) return;
    this.#size--;
    if (waiting.size === 0) this.#lanes.delete(lane);
  }

  /** The longest waiting item of the lane whose turn it is; undefined when none waits. */
  take(): T | undefined {
    for (const [lane, waiting] of this.#lanes) {
      for (const item of waiting) {
        this.delete(lane, item);
        if (this.#lanes.delete(lane)) this.#lanes.set(lane, waiting);
        return item;
      }
    }
    return undefined;
  }
}
