// The real logger: pino, as JSON lines, or pretty where a person reads along.
import { once } from 'node:events';
import { isatty } from 'node:tty';
import pino from 'pino';
import pretty from 'pino-pretty';
import type { LogConfig } from '../model/config.js';
import { levelOf } from './events.js';
import type { Logger } from './logger.js';

export interface OpenLogger extends Logger {
  /** Where the lines go, for people: `stdout`, `stderr` or a file's path. */
  readonly output: string;
  /** Opens a log file anew, after a rotation has moved it. Does nothing for stdout and stderr. */
  reopen(): void;
  /** Writes what is buffered. */
  close(): void;
}

// Lines waiting for a slow reader; beyond it lines are lost, because a log must not hold up sluice.
const bufferBytesMax = 4 * 1024 * 1024;

function descriptorOf(output: string): number | null {
  if (output === 'stdout') return 1;
  return output === 'stderr' ? 2 : null;
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
  const descriptor = descriptorOf(output);
  const destination = pino.destination({
    dest: descriptor ?? output,
    sync: false,
    maxLength: bufferBytesMax,
  });
  await once(destination, 'ready');
  const terminal = descriptor !== null && isatty(descriptor);
  const asPretty = format === 'pretty' || (format === 'auto' && terminal);
  const stream = asPretty
    ? pretty({
        destination,
        colorize: terminal && !process.env.NO_COLOR,
        translateTime: 'SYS:HH:MM:ss.l',
        messageFormat: '{event}',
        ignore: 'event',
        singleLine: true,
      })
    : destination;
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return {
    output,
    event: (name, fields) => logger[levelOf(name, fields)]({ event: name, ...rounded(fields) }),
    reopen: () => {
      if (descriptor === null) destination.reopen();
    },
    close: () => destination.flushSync(),
  };
}
