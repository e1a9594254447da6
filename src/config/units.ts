// Durations and sizes as people write them. One number, one unit; a bare number is refused,
// because half of its readers would take it for seconds and the other half for milliseconds.
import { type Parsed, parsed, refused, shown } from './parsed.js';

const durationUnits: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const sizeUnits: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['KiB', 1024],
  ['MiB', 1024 * 1024],
  ['GiB', 1024 * 1024 * 1024],
]);

/** Timers count in 31 bits of milliseconds, which is 24.8 days. */
export const durationMaxMs = 24 * 86_400_000;

export const durationPattern = '^[0-9]{1,10}(ms|s|m|h|d)$';
export const sizePattern = '^[0-9]{1,10}(B|KiB|MiB|GiB)$';

const wordyDurationUnits: ReadonlyMap<string, string> = new Map([
  ['msec', 'ms'],
  ['millis', 'ms'],
  ['milliseconds', 'ms'],
  ['sec', 's'],
  ['secs', 's'],
  ['second', 's'],
  ['seconds', 's'],
  ['min', 'm'],
  ['mins', 'm'],
  ['minute', 'm'],
  ['minutes', 'm'],
  ['hr', 'h'],
  ['hour', 'h'],
  ['hours', 'h'],
  ['day', 'd'],
  ['days', 'd'],
]);

const wordySizeUnits: ReadonlyMap<string, string> = new Map([
  ['', 'B'],
  ['b', 'B'],
  ['k', 'KiB'],
  ['kb', 'KiB'],
  ['kib', 'KiB'],
  ['m', 'MiB'],
  ['mb', 'MiB'],
  ['mib', 'MiB'],
  ['g', 'GiB'],
  ['gb', 'GiB'],
  ['gib', 'GiB'],
]);

/** The nearest text in our grammar, or undefined when there is none. */
function nearestDuration(text: string): string | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  const number = match?.[1];
  if (number === undefined) return undefined;
  const word = match?.[2] ?? '';
  const unit = word === '' ? 's' : (wordyDurationUnits.get(word) ?? word);
  const scale = durationUnits.get(unit);
  if (scale === undefined) return undefined;
  const ms = Number(number) * scale;
  if (!Number.isInteger(ms) || ms > durationMaxMs) return undefined;
  return number.includes('.') ? formatDuration(ms) : `${Number(number)}${unit}`;
}

/** `250ms`, `2s`, `5m`, `1h`, `1d` to milliseconds. */
export function parseDuration(value: unknown): Parsed<number> {
  const code = 'SLUICE_CONFIG_DURATION';
  if (typeof value === 'number') {
    return refused(code, `${value} has no unit`, nearestDuration(String(value)));
  }
  if (typeof value !== 'string') {
    return refused(code, `expected a duration such as 5s, not ${shown(value)}`);
  }
  const match = /^([0-9]{1,10})(ms|s|m|h|d)$/.exec(value);
  if (match === null) {
    const why = `${shown(value)} is not a duration (250ms, 2s, 5m, 1h, 1d)`;
    return refused(code, why, nearestDuration(value));
  }
  const ms = Number(match[1]) * (durationUnits.get(match[2] ?? '') ?? 0);
  if (ms > durationMaxMs) return refused(code, `${value} is longer than 24 days`);
  return parsed(ms);
}

/** The shortest text that parses to the same number. */
export function formatDuration(ms: number): string {
  return largestWholeUnit(ms, durationUnits, 'ms');
}

/** `512B`, `64KiB`, `1MiB` to bytes. */
export function parseSize(value: unknown): Parsed<number> {
  const code = 'SLUICE_CONFIG_SIZE';
  if (typeof value !== 'string') {
    if (typeof value !== 'number') {
      return refused(code, `expected a size such as 64KiB, not ${shown(value)}`);
    }
    const whole = Number.isInteger(value) && value >= 0;
    return refused(code, `${value} has no unit`, whole ? formatSize(value) : undefined);
  }
  const match = /^([0-9]{1,10})(B|KiB|MiB|GiB)$/.exec(value);
  if (match === null) {
    const loose = /^([0-9]{1,10})\s*([a-z]*)$/.exec(value.trim().toLowerCase());
    const unit = wordySizeUnits.get(loose?.[2] ?? '?');
    const nearest = loose === null || unit === undefined ? undefined : `${loose[1]}${unit}`;
    return refused(code, `${shown(value)} is not a size (512B, 64KiB, 1MiB)`, nearest);
  }
  return parsed(Number(match[1]) * (sizeUnits.get(match[2] ?? '') ?? 0));
}

export function formatSize(bytes: number): string {
  return largestWholeUnit(bytes, sizeUnits, 'B');
}

function largestWholeUnit(
  amount: number,
  units: ReadonlyMap<string, number>,
  smallest: string,
): string {
  let best = `${amount}${smallest}`;
  for (const [unit, scale] of units) {
    if (amount !== 0 && amount % scale === 0) best = `${amount / scale}${unit}`;
  }
  return best;
}
