// What the bench made and must remove: undone in reverse order, once, however the run ends.

/** @typedef {() => Promise<void> | void} Undo */

export class Cleanup {
  /** @type {Undo[]} */
  #undos = [];

  /** @param {Undo} undo */
  add(undo) {
    this.#undos.push(undo);
  }

  /** A mark to which `back` returns. */
  get depth() {
    return this.#undos.length;
  }

  /**
   * Undoes everything added since `depth`, the latest first. One that fails does not keep the
   * others from running; the first failure is thrown at the end.
   * @param {number} depth
   */
  async back(depth) {
    /** @type {unknown[]} */
    const failures = [];
    while (this.#undos.length > depth) {
      try {
        await this.#undos.pop()?.();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async close() {
    await this.back(0);
  }
}
