// The real logger: pino, as JSON lines, or pretty where a person reads along.
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import pino from 'pino';
import { SluiceError } from '../errors.js';
import type { LogConfig } from '../model/config.js';
import { type EventName, levelOf } from './events.js';
import type { LineFacts, LogOutput } from './log-output.js';
import { openLogSink, standardDescriptor } from './log-sink.js';
import type { Logger } from './logger.js';
import { roundedFields } from './rounded-fields.js';
import { isSyslog, openSyslogSink } from './syslog-sink.js';

export interface OpenLogger extends Logger {
  /** Where the lines go, for people: as in the file. */
  readonly output: string;
  /** Opens a log file anew, after a rotation has moved it. Does nothing for stdout and stderr. */
  reopen(): void;
  /** Writes what waits, in one try and at once: for a process that ends after a crash. */
  flushNow(): void;
  /** Writes what waits; gives up on an output that takes nothing. */
  close(): Promise<void>;
}

/** What `log.access` sends elsewhere. */
const accessRecords: ReadonlySet<EventName> = new Set(['connection_closed', 'session_ended']);

/** Rejects with SluiceError SLUICE_LOG_OPEN when a log file cannot be opened. */
export async function openPinoLogger(config: LogConfig): Promise<OpenLogger> {
  const main = await openLine(config, 'log.output', config.output);
  const { access: accessOutput } = config;
  const outputs = [main.output];
  let access = main;
  if (accessOutput !== null && accessOutput !== config.output) {
    try {
      access = await openLine(config, 'log.access', accessOutput);
    } catch (error) {
      await main.output.close();
      throw error;
    }
    outputs.push(access.output);
  }
  return {
    output: config.output,
    event: (name, fields) => {
      const { log } = accessRecords.has(name) ? access : main;
      log({ level: levelOf(name, fields), event: name }, fields);
    },
    reopen: () => {
      for (const output of outputs) output.reopen();
    },
    flushNow: () => {
      for (const output of outputs) output.flushNow();
    },
    close: async () => {
      await Promise.all(outputs.map((output) => output.close()));
    },
  };
}

/** Which key of the configuration names an output. */
type Setting = 'log.output' | 'log.access';

interface Line {
  readonly output: LogOutput;
  log(facts: LineFacts, fields: object): void;
}

/** One output, with its own way of being read. */
async function openLine(
  { level, format, rotate }: LogConfig,
  setting: Setting,
  output: string,
): Promise<Line> {
  const onTrouble = (reason: string) => tell(setting, output, reason);
  const toSyslog = isSyslog(output);
  const sink = toSyslog
    ? openSyslogSink({ output, onTrouble })
    : await openLogSink({ output, rotate, onTrouble }).catch((cause: Error) => {
        const message = `${setting} ${output}: ${cause.message}`;
        throw new SluiceError('SLUICE_LOG_OPEN', message, { cause });
      });
  const descriptor = standardDescriptor(output);
  const terminal = descriptor !== null && isatty(descriptor);
  const asPretty = !toSyslog && (format === 'pretty' || (format === 'auto' && terminal));
  const shown = asPretty ? await prettifier(terminal) : (line: string) => line;
  // pino writes before the call that logs has returned.
  let facts: LineFacts = { level: 'info', event: '' };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => sink.write(shown(line), facts) },
  );
  return {
    output: sink,
    log: (about, fields) => {
      facts = about;
      logger[about.level]({ event: about.event, ...roundedFields(fields) });
    },
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
function tell(setting: Setting, output: string, reason: string): void {
  if (output === 'stderr') return;
  try {
    writeSync(2, `sluice: ${setting} ${output}: ${reason}; lines are lost until it works again\n`);
  } catch {
    // Standard error is gone as well.
  }
}
