// Durations and sizes: what is read, what is refused, and that both directions agree.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  durationMaxMs,
  durationPattern,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  sizePattern,
} from '../../../src/config/units.js';

describe('a duration', () => {
  test.each([
    ['250ms', 250],
    ['2s', 2000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0s', 0],
    ['090s', 90_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  test('keeps its value when it is written and read again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: durationMaxMs }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });

  test('is written in the largest unit that divides it', () => {
    expect([0, 1, 1500, 60_000, 90_000, 86_400_000].map(formatDuration)).toEqual([
      '0ms',
      '1ms',
      '1500ms',
      '1m',
      '90s',
      '1d',
    ]);
  });

  test.each([
    [5, '5s'],
    [2.5, '2500ms'],
    ['5', '5s'],
    ['5 s', '5s'],
    ['5S', '5s'],
    ['5sec', '5s'],
    ['2 minutes', '2m'],
    ['0.5h', '30m'],
    ['1.5s', '1500ms'],
  ])('%j is refused, and what was meant is %s', (value, meant) => {
    const result = parseDuration(value);
    expect(result).toMatchObject({
      ok: false,
      problem: { code: 'SLUICE_CONFIG_DURATION', suggestion: meant },
    });
    expect(parseDuration(meant).ok).toBe(true);
  });

  test.each([
    ['', '-1s', '1h30m', 's', '1w', 'five seconds', '1e3ms', '١s', '99999999999s', true, {}, []],
  ])('%j is refused without a guess', (...values) => {
    for (const value of values) {
      const result = parseDuration(value);
      expect(result.ok, JSON.stringify(value)).toBe(false);
      if (!result.ok) expect(result.problem.suggestion).toBeUndefined();
    }
  });

  test('is at most 24 days, because timers count in 31 bits', () => {
    expect(parseDuration('24d')).toEqual({ ok: true, value: durationMaxMs });
    expect(parseDuration('577h').ok).toBe(false);
    expect(durationMaxMs).toBeLessThan(2 ** 31);
  });
});

describe('a size', () => {
  test.each([
    ['512B', 512],
    ['64KiB', 65_536],
    ['1MiB', 1_048_576],
    ['2GiB', 2_147_483_648],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toEqual({ ok: true, value: bytes });
  });

  test('keeps its value when it is written and read again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999_999_999 }), (bytes) => {
        expect(parseSize(formatSize(bytes))).toEqual({ ok: true, value: bytes });
      }),
    );
  });

  test.each([
    [65_536, '64KiB'],
    [100, '100B'],
    ['64KB', '64KiB'],
    ['64k', '64KiB'],
    ['1 mb', '1MiB'],
    ['512', '512B'],
  ])('%j is refused, and what was meant is %s', (value, meant) => {
    expect(parseSize(value)).toMatchObject({
      ok: false,
      problem: { code: 'SLUICE_CONFIG_SIZE', suggestion: meant },
    });
  });

  test.each([['-1B'], ['1.5MiB'], ['lots'], [-5], [0.5], [null]])('%j is refused', (value) => {
    expect(parseSize(value).ok).toBe(false);
  });
});

test('the patterns that editors check agree with what is read', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc.stringMatching(/^[0-9]{1,11}(ms|s|m|h|d|B|KiB|MiB|x)?$/),
  );
  fc.assert(
    fc.property(text, (value) => {
      const duration = parseDuration(value);
      const matches = new RegExp(durationPattern).test(value);
      // A pattern cannot bound the number, so more may match than is read.
      if (duration.ok) expect(matches).toBe(true);
      else if (matches) expect(duration.problem.message).toContain('longer than');
      expect(new RegExp(sizePattern).test(value)).toBe(parseSize(value).ok);
    }),
  );
});
