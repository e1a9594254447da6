// Drain: lets connections end by themselves until a deadline, then closes what is left.
import type { Clock, Timer } from '../clock.js';
import type { Logger } from '../log/logger.js';

export interface DrainOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly timeoutMs: number;
  /** Connections and sessions that are open now. */
  readonly active: () => number;
  /** Closes all of them. */
  readonly closeAll: () => void;
}

export interface DrainResult {
  /** Connections that did not end by themselves. */
  readonly cut: number;
  readonly durationMs: number;
}

export interface Drain {
  /** Resolves when nothing is open any more, or could not be closed within a second. */
  readonly finished: Promise<DrainResult>;
  /** Brings the deadline to now: the operator has asked twice. */
  hurry(): void;
}

/** How often the counters are looked at: they are memory, a look costs no call. */
const pollMs = 20;
/** How long closed connections may take to be counted out. */
const closingMs = 1000;

/** Begins at once. The listeners should be gone before, or the end may never come. */
export function startDrain({ clock, log, timeoutMs, active, closeAll }: DrainOptions): Drain {
  const startedMs = clock.nowMs();
  let timer: Timer | null = null;
  let deadlineMs = startedMs + timeoutMs;
  let cut = 0;
  let isClosing = false;
  let finish: (result: DrainResult) => void = () => undefined;
  const finished = new Promise<DrainResult>((resolve) => {
    finish = resolve;
  });

  const poll = (): void => {
    timer?.cancel();
    timer = null;
    const open = active();
    const nowMs = clock.nowMs();
    if (open > 0 && nowMs >= deadlineMs && !isClosing) {
      isClosing = true;
      cut = open;
      deadlineMs = nowMs + closingMs;
      log.event('connections_closed', { owner: 'all', name: '', active: open });
      closeAll();
    }
    if (open === 0 || nowMs >= deadlineMs) {
      const result = { cut, durationMs: nowMs - startedMs };
      log.event('drain_finished', { owner: 'all', name: '', ...result });
      finish(result);
      return;
    }
    timer = clock.after(Math.min(pollMs, deadlineMs - nowMs), poll);
  };

  log.event('drain_started', { owner: 'all', name: '', active: active(), timeoutMs });
  poll();
  return {
    finished,
    hurry: () => {
      if (timer === null || isClosing) return;
      deadlineMs = clock.nowMs();
      poll();
    },
  };
}
