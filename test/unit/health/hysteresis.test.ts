// Verdicts, against the rules read literally over the whole history.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterPassiveFailure,
  afterProbe,
  initialVerdict,
  undecided,
} from '../../../src/health/hysteresis.js';
import type { HealthCheck } from '../../../src/model/health-check.js';
import { check } from '../../support/sample-config.js';

type Input = 'good' | 'bad' | 'passive';

const inputs = fc.array(fc.constantFrom<Input>('good', 'bad', 'passive'), { maxLength: 60 });
const checks = fc
  .record({
    rise: fc.integer({ min: 1, max: 5 }),
    fall: fc.integer({ min: 1, max: 5 }),
    initial: fc.constantFrom<HealthCheck['initial']>('healthy', 'unhealthy'),
  })
  .map((changes): HealthCheck => ({ ...check, ...changes }));

function run(settings: HealthCheck, sequence: readonly Input[]) {
  return sequence.reduce(
    (verdict, input) =>
      input === 'passive'
        ? afterPassiveFailure(verdict, settings)
        : afterProbe(verdict, input === 'good', settings),
    initialVerdict(settings),
  );
}

/** The rules read literally, over the whole history each time. */
function naiveHealth(settings: HealthCheck, sequence: readonly Input[]): string {
  const first = sequence.findIndex((input) => input !== 'passive');
  if (first === -1) return settings.initial === 'unhealthy' ? 'unhealthy' : 'unknown';
  const counted = sequence.filter((input, index) => {
    if (input !== 'passive') return true;
    return index === 0 || sequence[index - 1] !== 'passive';
  });
  const firstCounted = counted.findIndex((input) => input !== 'passive');
  let health = counted[firstCounted] === 'good' ? 'healthy' : 'unhealthy';
  for (let end = firstCounted + 1; end <= counted.length; end++) {
    const seen = counted.slice(0, end);
    const lastGood = seen.lastIndexOf('good');
    const lastNotGood = seen.findLastIndex((input) => input !== 'good');
    const badRun = seen.length - 1 - lastGood;
    const goodRun = seen.length - 1 - lastNotGood;
    if (goodRun >= settings.rise) health = 'healthy';
    if (badRun >= settings.fall) health = 'unhealthy';
  }
  return health;
}

describe('hysteresis', () => {
  it('agrees with the rules read literally over any history of probes and failures', () => {
    fc.assert(
      fc.property(checks, inputs, (settings, sequence) => {
        expect(run(settings, sequence).health).toBe(naiveHealth(settings, sequence));
      }),
      { numRuns: 2000 },
    );
  });

  it('needs fall bad probes in a row, and rise good ones', () => {
    const settings = { ...check, rise: 2, fall: 3 };
    const health = (sequence: readonly Input[]) => run(settings, sequence).health;
    expect(health(['good', 'bad', 'bad'])).toBe('healthy');
    expect(health(['good', 'bad', 'bad', 'good', 'bad', 'bad'])).toBe('healthy');
    expect(health(['good', 'bad', 'bad', 'bad'])).toBe('unhealthy');
    expect(health(['good', 'bad', 'bad', 'bad', 'good'])).toBe('unhealthy');
    expect(health(['good', 'bad', 'bad', 'bad', 'good', 'bad', 'good'])).toBe('unhealthy');
    expect(health(['good', 'bad', 'bad', 'bad', 'good', 'good'])).toBe('healthy');
  });

  it('lets the first probe decide, in both directions', () => {
    expect(run({ ...check, initial: 'healthy' }, []).health).toBe('unknown');
    expect(run({ ...check, initial: 'healthy' }, ['bad']).health).toBe('unhealthy');
    expect(run({ ...check, initial: 'unhealthy' }, []).health).toBe('unhealthy');
    expect(run({ ...check, initial: 'unhealthy' }, ['good']).health).toBe('healthy');
    expect(afterProbe(undecided('healthy'), false, check).health).toBe('unhealthy');
  });

  it('counts one passive failure between two probes, like a failed probe', () => {
    const settings = { ...check, fall: 3 };
    const many: Input[] = Array.from({ length: 1000 }, () => 'passive');
    expect(run(settings, ['good', ...many]).consecutiveBad).toBe(1);
    expect(run(settings, ['good', ...many, 'good', ...many]).health).toBe('healthy');
    expect(run(settings, ['good', ...many, 'bad', ...many]).health).toBe('unhealthy');
    expect(run({ ...check, fall: 1 }, ['good', 'passive']).health).toBe('unhealthy');
  });

  it('never lets a passive failure be the first to decide', () => {
    expect(run({ ...check, fall: 1 }, ['passive', 'passive']).health).toBe('unknown');
  });

  it('never judges a pool that is not probed', () => {
    fc.assert(
      fc.property(checks, fc.nat(50), (settings, count) => {
        const none: HealthCheck = { ...settings, kind: 'none' };
        const sequence = Array.from({ length: count }, (): Input => 'passive');
        expect(run(none, sequence)).toEqual(initialVerdict(none));
        expect(initialVerdict(none).health).toBe('unknown');
      }),
    );
  });

  it('never has good and bad results in a row at the same time', () => {
    fc.assert(
      fc.property(checks, inputs, (settings, sequence) => {
        const { consecutiveGood, consecutiveBad } = run(settings, sequence);
        expect(Math.min(consecutiveGood, consecutiveBad)).toBe(0);
      }),
    );
  });
});
