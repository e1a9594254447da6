// FakeClock: time that moves only when a test says so, and can be late as a real loop can.
import type { Clock, Timer } from '../../src/clock.js';

interface Pending {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Lets everything that waits only for promises run to its end. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export class FakeClock implements Clock {
  readonly #pending = new Set<Pending>();
  #now = 0;
  #order = 0;

  nowMs(): number {
    return this.#now;
  }

  wallTime(): Date {
    return new Date(Date.UTC(2030, 0, 1) + this.#now);
  }

  after(delayMs: number, callback: () => void): Timer {
    const timer = { dueMs: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#pending.add(timer);
    return { cancel: () => void this.#pending.delete(timer) };
  }

  /** Timers that have not fired: what a closed object must not leave behind. */
  get pendingTimers(): number {
    return this.#pending.size;
  }

  /** Moves time on; each timer fires at its own moment and its consequences run before the next. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#now + ms;
    await settle();
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) {
      this.#now = Math.max(this.#now, next.dueMs);
      this.#fire(next);
      await settle();
    }
    this.#now = endMs;
  }

  /** The event loop stands still for `ms`: then every timer that was due meanwhile fires, late. */
  async stall(ms: number): Promise<void> {
    await settle();
    const endMs = this.#now + ms;
    this.#now = endMs;
    for (let next = this.#next(endMs); next; next = this.#next(endMs)) this.#fire(next);
    await settle();
  }

  #fire(timer: Pending): void {
    this.#pending.delete(timer);
    timer.callback();
  }

  #next(endMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.dueMs > endMs) continue;
      const earlier = first === undefined || timer.dueMs < first.dueMs;
      if (earlier || (timer.dueMs === first?.dueMs && timer.order < first.order)) first = timer;
    }
    return first;
  }
}
