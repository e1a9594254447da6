// What is left of an ejection when time has passed without anybody who watched.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agedRecord, type EjectionRecord } from '../../../src/control/ejection-records.js';
import { outlier } from '../../support/sample-config.js';

const passive = { maxFails: 1, failTimeoutMs: 10_000, endOnProbe: false };
const second = (value: number) => new Date(Date.UTC(2030, 0, 1) + value * 1000);
const record = (changes: Partial<EjectionRecord> = {}): EjectionRecord => ({
  ejection: { reason: 'consecutive_failures', since: second(0), until: second(60) },
  times: 2,
  onTrial: false,
  at: second(10),
  ...changes,
});

describe('an ejection that nobody watched', () => {
  it('ends when it would have ended', () => {
    const rules = { passive: null, outlier };
    expect(agedRecord(record(), rules, second(59)).ejection?.until).toEqual(second(60));
    expect(agedRecord(record(), rules, second(60)).ejection).toBeNull();
  });

  it('counts for less with every interval after its end', () => {
    const rules = { passive: null, outlier };
    const times = (now: number) => agedRecord(record(), rules, second(now)).times;
    expect([59, 69, 70, 80, 500].map(times)).toEqual([2, 2, 1, 0, 0]);
    const free = record({ ejection: null });
    expect(agedRecord(free, rules, second(21)).times).toBe(1);
  });

  it('ends with the rules that had made it', () => {
    const other = { passive, outlier: null };
    expect(agedRecord(record({ onTrial: true }), other, second(20))).toMatchObject({
      ejection: null,
      times: 0,
      onTrial: true,
    });
    const skipped = record({
      ejection: { reason: 'max_fails', since: second(0), until: second(10) },
      onTrial: true,
    });
    expect(agedRecord(skipped, { passive: null, outlier }, second(1))).toMatchObject({
      ejection: null,
      onTrial: false,
    });
  });

  it('is never longer than the rules make it, whatever the clock did, nor outlives its end', () => {
    const scenario = fc.record({
      until: fc.integer({ min: -100_000, max: 100_000 }),
      now: fc.integer({ min: -100_000, max: 100_000 }),
      times: fc.nat(1000),
    });
    fc.assert(
      fc.property(scenario, ({ until, now, times }) => {
        const ejection = { reason: 'latency', since: second(-1), until: second(until) } as const;
        const aged = agedRecord(record({ ejection, times }), { passive, outlier }, second(now));
        expect(aged.times).toBeGreaterThanOrEqual(0);
        expect(aged.times).toBeLessThanOrEqual(times);
        expect(aged.ejection !== null).toBe(until > now);
        const leftMs = (aged.ejection?.until.getTime() ?? 0) - second(now).getTime();
        expect(leftMs).toBeLessThanOrEqual(outlier.maxEjectionMs);
      }),
    );
  });
});
