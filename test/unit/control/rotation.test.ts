// The checker and the controller together, as app connects them, by property.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HealthChecker } from '../../../src/health/checker.js';
import { a, b, setupController } from '../../support/controller-fixture.js';
import { createFakeProbes, fakeProbes } from '../../support/fake-probe.js';
import { check, config, every, listener, pool } from '../../support/sample-config.js';

it('has a dead target out within fall x interval + 100 ms, and back after rise', async () => {
  const scenario = fc.record({
    intervalMs: fc.integer({ min: 100, max: 3000 }),
    timeoutShare: fc.double({ min: 0.1, max: 1, noNaN: true }),
    rise: fc.integer({ min: 1, max: 3 }),
    fall: fc.integer({ min: 1, max: 3 }),
    jitter: fc.double({ min: 0, max: 0.5, noNaN: true }),
    diesAfterMs: fc.integer({ min: 0, max: 3000 }),
    dead: fc.constantFrom<'refuses' | 'swallows'>('refuses', 'swallows'),
    seed: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const { intervalMs, rise, fall, jitter, seed } = given;
      const { clock, controller, candidates } = setupController();
      const fake = createFakeProbes(clock);
      const checker = new HealthChecker({
        clock,
        random: () => seed,
        probes: fakeProbes(fake.probe),
        onChange: (change) => void controller.setHealth(change),
      });
      const timeoutMs = intervalMs * given.timeoutShare;
      const health = { ...check, ...every(intervalMs), timeoutMs, rise, fall, jitter };
      const made = config([listener('in', 'web')], [pool('web', [a, b], { health })]);
      await controller.start(made);
      checker.update(made.pools, new Map());
      await clock.advance(intervalMs + given.diesAfterMs);
      expect(candidates()).toEqual(['a', 'b']);
      fake.behave('192.0.2.1:80', given.dead);
      await clock.advance(fall * intervalMs + 100);
      expect(candidates()).toEqual(['b']);
      fake.behave('192.0.2.1:80', 'answers');
      // One probe that was sent before may still have to time out.
      await clock.advance(rise * intervalMs + timeoutMs + 100);
      expect(candidates()).toEqual(['a', 'b']);
      checker.close();
      controller.close();
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 80 },
  );
}, 30_000);
