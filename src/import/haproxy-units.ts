// Times and sizes as HAProxy writes them, in the units of sluice.
import { durationMaxMs, formatDuration } from '../config/units.js';

const unitsInMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `30s`, `250ms`, `5000`; a bare number has the unit that the keyword gives it. null: no time. */
export function haproxyMs(text: string, bare: 'ms' | 's' = 'ms'): number | null {
  const [, digits, unit] = /^(\d{1,12})(us|ms|s|m|h|d)?$/.exec(text) ?? [];
  if (digits === undefined) return null;
  const ms = Math.ceil(Number(digits) * (unitsInMs[unit ?? bare] ?? 0));
  return Math.min(ms, durationMaxMs);
}

/** 0 stands for no limit there. */
export function durationOrOff(ms: number): string {
  return ms === 0 ? 'off' : formatDuration(ms);
}

/** `200k`, `1m`: in powers of two, as HAProxy counts table sizes. null: no size. */
export function haproxyCount(text: string): number | null {
  const [, digits, unit] = /^(\d{1,12})([kmg])?$/i.exec(text) ?? [];
  if (digits === undefined) return null;
  const scale = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 }[unit?.toLowerCase() ?? ''] ?? 1;
  return Number(digits) * scale;
}

/** A whole number of at least 0. */
export function wholeNumber(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
