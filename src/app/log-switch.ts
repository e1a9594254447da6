// LogSwitch: one logger for everybody that outlives changes of the log settings, so that a reload
// can move the log without anyone holding a closed one.
import { systemClock } from '../clock.js';
import { EventFeed } from '../log/event-feed.js';
import type { Logger } from '../log/logger.js';
import { openPinoLogger } from '../log/pino-logger.js';
import type { LogConfig } from '../model/config.js';

export interface LogSwitch extends Logger {
  /** What is logged here, for those who follow it live. */
  readonly feed: EventFeed;
  readonly output: string;
  reopen(): void;
  /** Throws SluiceError SLUICE_LOG_OPEN, and then nothing has changed. */
  change(config: LogConfig): Promise<void>;
  /** Writes what waits, before a process that has crashed ends. */
  flushNow(): void;
  close(): Promise<void>;
}

/** Throws SluiceError SLUICE_LOG_OPEN when a log file cannot be opened. */
export async function openLogSwitch(config: LogConfig): Promise<LogSwitch> {
  let current = await openPinoLogger(config);
  const log: Logger = { event: (name, fields) => current.event(name, fields) };
  const feed = new EventFeed({ clock: systemClock(), log });
  return {
    feed,
    get output() {
      return current.output;
    },
    event: (name, fields) => feed.event(name, fields),
    reopen: () => current.reopen(),
    change: async (next) => {
      const previous = current;
      current = await openPinoLogger(next);
      await previous.close();
    },
    flushNow: () => current.flushNow(),
    close: () => current.close(),
  };
}
