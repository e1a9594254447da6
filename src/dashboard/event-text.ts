// EventText: an event of sluice's log in words for people: what happened, to whom, and the rest.
import type { SluiceEvent } from './follow-events.ts';
import { formatCount, formatMs } from './format.ts';

export interface EventText {
  readonly what: string;
  /** `pool/target`, or whatever else the event is about; empty when that is all of sluice. */
  readonly whom: string;
  readonly rest: string;
}

const told: ReadonlySet<string> = new Set(['event', 'time', 'level', 'pool', 'target', 'name']);

/** `connectTimeoutMs` has its unit in its value. */
function wordsOf(field: string): string {
  return field
    .replace(/Ms$/, '')
    .replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replaceAll('_', ' ');
}

function valueText(field: string, value: unknown): string {
  if (typeof value === 'number') {
    return field.endsWith('Ms') ? formatMs(value) : numberText(value);
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Generations and lines are named by their digits; only what is no whole number is rounded. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : formatCount(value);
}

function whomOf({ pool, target, name }: SluiceEvent): string {
  const parts = [pool, target ?? name].filter((part) => typeof part === 'string' && part !== '');
  return parts.join('/');
}

export function eventText(event: SluiceEvent): EventText {
  const rest = Object.entries(event)
    .filter(([field, value]) => !told.has(field) && value !== '' && value !== null)
    .map(([field, value]) => `${wordsOf(field)} ${valueText(field, value)}`);
  return {
    what: event.event.replaceAll('_', ' '),
    whom: whomOf(event),
    rest: rest.join(', '),
  };
}
