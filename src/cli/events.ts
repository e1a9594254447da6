// sluice events: what has happened in a running sluice, and with --follow what happens.
import { systemClock } from '../clock.js';
import { type Fields, textOf } from './answer-fields.js';
import { eventLevels, eventLine } from './event-line.js';
import { EventReader } from './event-reader.js';
import { exitCodes } from './exit-codes.js';
import { paintFor, visible } from './terminal.js';

export interface EventsOptions {
  readonly admin: string;
  readonly follow?: true;
  readonly tail?: number;
  readonly level?: (typeof eventLevels)[number];
  readonly event?: readonly string[];
  readonly json?: true;
}

/** More than any sluice keeps. */
const keptMax = 10_000;

export async function events(options: EventsOptions): Promise<number> {
  const { admin, follow = false, tail = keptMax, json } = options;
  const paint = paintFor(process.stdout);
  const print = (event: Fields): void => {
    const line = json === true ? JSON.stringify(event) : eventLine(event, paint);
    process.stdout.write(`${line}\n`);
  };
  const onBreak = ({ message }: Error): void => {
    process.stderr.write(`sluice: ${visible(message)}: waiting for it\n`);
  };
  const reader = new EventReader({ admin, clock: systemClock(), onBreak });
  const kept: Fields[] = [];
  for await (const event of reader.kept()) {
    if (isWanted(event, options)) kept.push(event);
    if (kept.length > tail) kept.shift();
  }
  for (const event of kept) print(event);
  if (!follow) return exitCodes.ok;
  for await (const event of reader.following()) {
    if (isWanted(event, options)) print(event);
  }
  return exitCodes.ok;
}

/** That events are lost is always wanted. */
function isWanted(event: Fields, { level = 'info', event: names }: EventsOptions): boolean {
  if (event.event === 'events_missed') return true;
  const levels: readonly string[] = eventLevels;
  const is = levels.indexOf(textOf(event.level));
  // A level that this version does not know is wanted, too.
  if (is >= 0 && is < levels.indexOf(level)) return false;
  return names === undefined || names.some((name) => name === event.event);
}
