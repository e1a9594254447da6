// How the dashboard writes numbers and times.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  formatByteRate,
  formatCount,
  formatMs,
  formatRate,
  formatTime,
} from '../../../src/dashboard/format.ts';

it('what is not known is a dash', () => {
  for (const format of [formatCount, formatRate, formatByteRate, formatMs]) {
    expect([format(null), format(undefined)]).toEqual(['-', '-']);
  }
  expect([formatTime(undefined), formatTime('yesterday')]).toEqual(['-', '-']);
});

it.each([
  [0, '0'],
  [7, '7'],
  [0.25, '0.25'],
  [999, '999'],
  [999.6, '1 k'],
  [1500, '1.5 k'],
  [123_456, '123 k'],
  [2_000_000, '2 M'],
  [3.2e15, '3200 T'],
])('the count %d is %s', (value, text) => {
  expect(formatCount(value)).toBe(text);
});

it('rates and times have their units', () => {
  expect([formatRate(12), formatRate(1234)]).toEqual(['12/s', '1.23 k/s']);
  expect([formatByteRate(8), formatByteRate(1.2e6)]).toEqual(['8 B/s', '1.2 MB/s']);
  expect([formatMs(0.4), formatMs(12.34), formatMs(61_000)]).toEqual(['400 us', '12.3 ms', '61 s']);
});

it.each([
  [999.4, '999 ms'],
  [999.7, '1 s'],
  [0.9994, '999 us'],
  [0.9997, '1 ms'],
  [99.96, '100 ms'],
  [1_500_000, '1500 s'],
])('%d ms is %s', (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});

it('a time of day has hours, minutes and seconds, of this place', () => {
  expect(formatTime(new Date(2026, 0, 2, 3, 4, 5).getTime())).toBe('03:04:05');
});

it('no number is longer than seven characters, and none is wrong by more than one in 200', () => {
  const scales: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, G: 1e9, T: 1e12 };
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 9e14, noNaN: true }), (value) => {
      const text = formatCount(value);
      const [digits = '', prefix] = text.split(' ');
      const read = Number(digits) * (prefix === undefined ? 1 : (scales[prefix] ?? Number.NaN));
      expect(text.length).toBeLessThanOrEqual(7);
      // Below one there are two digits after the point.
      expect(Math.abs(read - value)).toBeLessThanOrEqual(Math.max(0.0051, value / 199));
    }),
  );
});
