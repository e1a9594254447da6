// Times as nginx writes them: `10m`, `1h30m`, `500ms`, a bare number of seconds.
import { durationMaxMs } from '../config/units.js';

const unitsInMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  M: 30 * 86_400_000,
  y: 365 * 86_400_000,
};

/** null: no time. Bounded by what sluice can count. */
export function nginxMs(text: string): number | null {
  const parts = [...text.matchAll(/\s*(\d{1,9})(ms|[smhdwMy])?/g)];
  const whole = parts.map(([part]) => part).join('');
  if (parts.length === 0 || whole !== text) return null;
  const ms = parts.reduce((sum, [, digits, unit]) => {
    return sum + Number(digits) * (unitsInMs[unit ?? 's'] ?? 0);
  }, 0);
  return Math.min(ms, durationMaxMs);
}
