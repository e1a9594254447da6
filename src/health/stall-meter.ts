// StallMeter: how long this event loop did not run. A process that was stopped, starved or busy
// finds all its timers expired at once; a verdict from them would take every target down together.
import type { Clock, Timer } from '../clock.js';

/** A stall shorter than this may go unseen. */
const beatMs = 20;

export class StallMeter {
  readonly #clock: Clock;
  #timer: Timer | null = null;
  #dueMs = 0;
  #stalledMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Beats only while somebody measures; an idle process is not woken fifty times a second. */
  start(): void {
    if (this.#timer !== null) return;
    this.#dueMs = this.#clock.nowMs() + beatMs;
    this.#timer = this.#clock.after(beatMs, () => this.#beat());
  }

  /** Stalled time so far. The difference of two readings is the stall between them. */
  readMs(): number {
    return this.#stalledMs + this.#latenessMs();
  }

  close(): void {
    this.#stalledMs = this.readMs();
    this.#timer?.cancel();
    this.#timer = null;
  }

  #latenessMs(): number {
    return this.#timer === null ? 0 : Math.max(0, this.#clock.nowMs() - this.#dueMs);
  }

  #beat(): void {
    this.#stalledMs = this.readMs();
    this.#timer = null;
    this.start();
  }
}
