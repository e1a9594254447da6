// Distances between probes, and the promise that is built on them.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { afterProbe, undecided, type Verdict } from '../../../src/health/hysteresis.js';
import { firstDueMs, nextDueMs, probeTimeoutMs } from '../../../src/health/schedule.js';
import type { CheckBasics } from '../../../src/model/health-check.js';
import { check, every } from '../../support/sample-config.js';

const checks = fc
  .record({
    intervalMs: fc.integer({ min: 50, max: 60_000 }),
    timeoutShare: fc.double({ min: 0.01, max: 1, noNaN: true }),
    rise: fc.integer({ min: 1, max: 6 }),
    fall: fc.integer({ min: 1, max: 6 }),
    jitter: fc.double({ min: 0, max: 0.5, noNaN: true }),
    fastShare: fc.oneof(fc.constant(1), fc.double({ min: 0.01, max: 1, noNaN: true })),
  })
  .map(
    ({ timeoutShare, fastShare, ...rest }): CheckBasics => ({
      ...check,
      ...rest,
      fastIntervalMs: rest.intervalMs * fastShare,
      downIntervalMs: rest.intervalMs,
      timeoutMs: rest.intervalMs * timeoutShare,
    }),
  );
const random = fc.double({ min: 0, max: 0.999999, noNaN: true });

it('judges a dead target within fall x interval, however slowly its probes fail', () => {
  const durations = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
    minLength: 6,
    maxLength: 6,
  });
  const randoms = fc.array(random, { minLength: 7, maxLength: 7 });
  fc.assert(
    fc.property(checks, durations, randoms, (settings, shares, jitters) => {
      const timeoutMs = probeTimeoutMs(settings);
      // A good probe starts at 0, the target dies the moment after.
      let verdict = afterProbe(undecided('unknown'), true, settings);
      let startedMs = 0;
      let endedMs = 0;
      for (let index = 0; index < settings.fall; index++) {
        const times = { dueMs: startedMs, startedMs, endedMs };
        const dueMs = nextDueMs(settings, verdict, times, jitters[index] ?? 0);
        expect(dueMs).toBeGreaterThanOrEqual(endedMs);
        startedMs = dueMs;
        endedMs = dueMs + timeoutMs * (shares[index] ?? 1);
        verdict = afterProbe(verdict, false, settings);
      }
      expect(verdict.health).toBe('unhealthy');
      expect(endedMs).toBeLessThanOrEqual(settings.fall * settings.intervalMs + 1e-6);
    }),
    { numRuns: 3000 },
  );
});

it('uses the whole bound when every probe of a dead target runs into its timeout', () => {
  const settings = { ...check, ...every(2000), timeoutMs: 1000, fall: 3 };
  let verdict = afterProbe(undecided('unknown'), true, settings);
  let startedMs = 0;
  for (let index = 0; index < 3; index++) {
    const times = { dueMs: startedMs, startedMs, endedMs: startedMs };
    startedMs = nextDueMs(settings, verdict, times, 0);
    verdict = afterProbe(verdict, false, settings);
  }
  expect(startedMs + 1000).toBe(6000);
});

it('keeps the configured interval while all is well and while a target is down', () => {
  fc.assert(
    fc.property(checks, (settings) => {
      fc.pre(settings.fall > 1);
      const times = { dueMs: 100, startedMs: 100, endedMs: 100 };
      const good = afterProbe(undecided('unknown'), true, settings);
      const down = afterProbe(undecided('unknown'), false, settings);
      expect(nextDueMs(settings, good, times, 0)).toBe(100 + settings.intervalMs);
      expect(nextDueMs(settings, down, times, 0)).toBe(100 + settings.intervalMs);
    }),
  );
});

it('never lengthens a timeout, and cuts one that would overlap the next probe', () => {
  fc.assert(
    fc.property(checks, (settings) => {
      expect(probeTimeoutMs(settings)).toBeLessThanOrEqual(settings.timeoutMs);
    }),
  );
  expect(probeTimeoutMs({ ...check, intervalMs: 900, timeoutMs: 900, fall: 3 })).toBe(600);
  expect(probeTimeoutMs({ ...check, intervalMs: 900, timeoutMs: 600, fall: 3 })).toBe(600);
  expect(probeTimeoutMs({ ...check, intervalMs: 900, timeoutMs: 900, fall: 1 })).toBe(450);
});

it('does not try to catch up after a long stall', () => {
  const good = afterProbe(undecided('unknown'), true, check);
  const late = { dueMs: 1000, startedMs: 31_000, endedMs: 31_001 };
  expect(nextDueMs(check, good, late, 0)).toBeGreaterThan(31_900);
});

it('makes up for small lateness, so that distances do not grow', () => {
  const good = afterProbe(undecided('unknown'), true, check);
  expect(nextDueMs(check, good, { dueMs: 1000, startedMs: 1004, endedMs: 1005 }, 0)).toBe(2000);
});

it('spreads the first probes evenly over the first interval', () => {
  fc.assert(
    fc.property(checks, fc.integer({ min: 1, max: 500 }), random, (settings, count, share) => {
      for (let index = 0; index < count; index++) {
        const dueMs = firstDueMs(settings, { index, count }, 5, share) - 5;
        expect(dueMs).toBeGreaterThanOrEqual((settings.intervalMs * index) / count - 1e-6);
        expect(dueMs).toBeLessThan((settings.intervalMs * (index + 1)) / count + 1e-6);
      }
    }),
    { numRuns: 50 },
  );
});

it('asks fast while in doubt, slowly while down, and keeps the promise with both', () => {
  const settings = { ...check, intervalMs: 2000, fastIntervalMs: 300, downIntervalMs: 9000 };
  const next = (verdict: Verdict) =>
    nextDueMs(settings, verdict, { dueMs: 0, startedMs: 0, endedMs: 0 }, 0);
  let verdict = undecided('healthy');
  expect(next(verdict)).toBe(300);
  const after = (ok: boolean) => {
    verdict = afterProbe(verdict, ok, settings);
    return [verdict.health, next(verdict)];
  };
  expect(after(true)).toEqual(['healthy', 2000]);
  expect(after(false)).toEqual(['healthy', 300]);
  expect(after(false)).toEqual(['healthy', 300]);
  expect(after(true)).toEqual(['healthy', 2000]);
  expect([after(false), after(false), after(false)].at(-1)).toEqual(['unhealthy', 9000]);
  expect(after(true)).toEqual(['unhealthy', 300]);
  expect(after(false)).toEqual(['unhealthy', 9000]);
  expect([after(true), after(true)].at(-1)).toEqual(['healthy', 2000]);
});
