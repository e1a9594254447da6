// The Clock that is handed to everyone who needs time, so that a test can hold it still.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds with a fraction; only differences mean anything. */
  nowMs(): number;
  /** Wall-clock time, for records that people read; never for a deadline. */
  wallTime(): Date;
  /** Calls `callback` once, not before `delayMs` has passed. */
  after(delayMs: number, callback: () => void): Timer;
}

/** The real clock. Its timers keep the process alive only when `keepAlive` is true (default). */
export function systemClock(keepAlive = true): Clock {
  return {
    nowMs: () => performance.now(),
    wallTime: () => new Date(),
    after(delayMs, callback) {
      const timeout = setTimeout(callback, delayMs);
      if (!keepAlive) timeout.unref();
      return { cancel: () => clearTimeout(timeout) };
    },
  };
}
