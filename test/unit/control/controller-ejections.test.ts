// What the controller makes of failed connects: tables without the target, and their end.
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/model/config.js';
import { a, b, c, setupController } from '../../support/controller-fixture.js';
import { config, listener, pool } from '../../support/sample-config.js';

const passive = { maxFails: 2, failTimeoutMs: 10_000, endOnProbe: false };
const skipping = (rules: typeof passive | null = passive): Config =>
  config([listener('in', 'web')], [pool('web', [a, b, c], { passive: rules })]);

describe('an ejected target', () => {
  it('leaves the table for its time, whatever its health, and says why', async () => {
    const { controller, clock, health, candidates, slots, log } = setupController();
    await controller.start(skipping());
    const slot = slots().b ?? -1;
    controller.connectFailed(slot);
    await clock.advance(20);
    expect(candidates()).toEqual(['a', 'b', 'c']);
    controller.connectFailed(slot);
    health(b, 'healthy');
    await clock.advance(20);
    expect(candidates()).toEqual(['a', 'c']);
    expect(controller.snapshot().pools[0]?.targets[1]).toMatchObject({
      eligible: false,
      health: 'healthy',
      ejection: {
        reason: 'max_fails',
        since: '2030-01-01T00:00:00.020Z',
        until: '2030-01-01T00:00:10.020Z',
      },
    });
    await clock.advance(11_000);
    expect(candidates()).toEqual(['a', 'b', 'c']);
    expect(controller.snapshot().pools[0]?.targets[1]?.ejection).toBeNull();
    expect(log.of('target_returned')).toEqual([{ pool: 'web', target: 'b', reason: 'max_fails' }]);
    controller.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('stays ejected over a reload, and returns with one that drops the rules', async () => {
    const { controller, clock, candidates, slots } = setupController();
    await controller.start(skipping());
    const slot = slots().a ?? -1;
    controller.connectFailed(slot);
    controller.connectFailed(slot);
    await controller.reload(skipping());
    expect(candidates()).toEqual(['b', 'c']);
    await controller.reload(skipping(null));
    await clock.advance(20);
    expect(candidates()).toEqual(['a', 'b', 'c']);
    controller.close();
  });
});
