// The real logger: pino, as JSON lines, or pretty where a person reads along.
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import pino from 'pino';
import type { LogConfig } from '../model/config.js';
import { levelOf } from './events.js';
import { openLogSink, standardDescriptor } from './log-sink.js';
import type { Logger } from './logger.js';

export interface OpenLogger extends Logger {
  /** Where the lines go, for people: `stdout`, `stderr` or a file's path. */
  readonly output: string;
  /** Opens a log file anew, after a rotation has moved it. Does nothing for stdout and stderr. */
  reopen(): void;
  /** Writes what waits, in one try and at once: for a process that ends after a crash. */
  flushNow(): void;
  /** Writes what waits; gives up on an output that takes nothing. */
  close(): Promise<void>;
}

/** Times carry the clock's noise far behind the point; a microsecond is plenty for a log. */
function rounded(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]): [string, unknown] =>
    name.endsWith('Ms') && typeof value === 'number'
      ? [name, Math.round(value * 1000) / 1000]
      : [name, value],
  );
  return Object.fromEntries(entries);
}

/** Rejects with the system's error when a log file cannot be opened. */
export async function openPinoLogger({ level, format, output }: LogConfig): Promise<OpenLogger> {
  const descriptor = standardDescriptor(output);
  const sink = await openLogSink({ output, onTrouble: (reason) => tell(output, reason) });
  const terminal = descriptor !== null && isatty(descriptor);
  const asPretty = format === 'pretty' || (format === 'auto' && terminal);
  const shown = asPretty ? await prettifier(terminal) : (line: string) => line;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(shown(line)) },
  );
  return {
    output,
    event: (name, fields) => logger[levelOf(name, fields)]({ event: name, ...rounded(fields) }),
    reopen: () => sink.reopen(),
    flushNow: () => sink.flushNow(),
    close: () => sink.close(),
  };
}

/** Loaded on use: a service's log is JSON, and its start should not wait for this. */
async function prettifier(terminal: boolean): Promise<(line: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const prettify = prettyFactory({
    colorize: terminal && !process.env.NO_COLOR,
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{event}',
    ignore: 'event',
    singleLine: true,
  });
  return (line) => prettify(line) ?? line;
}

/** The log cannot say that it cannot be written. */
function tell(output: string, reason: string): void {
  if (output === 'stderr') return;
  try {
    writeSync(2, `sluice: log.output ${output}: ${reason}; lines are lost until it works again\n`);
  } catch {
    // Standard error is gone as well.
  }
}
