// Pools with a role: who may be picked, and when connections of a former primary are cut.
import { describe, expect, it } from 'vitest';
import type { Role } from '../../../src/model/target.js';
import { a, b, c, setupController } from '../../support/controller-fixture.js';
import { settle } from '../../support/fake-clock.js';
import { config, listener, pool } from '../../support/sample-config.js';

async function setup(role: Role, targets = [a, b, c]) {
  const fixture = setupController();
  const { controller, clock, engine } = fixture;
  await controller.start(config([listener('in', 'web')], [pool('web', targets, { role })]));
  /** A good probe of a target that says its role, or a failed one. */
  const says = async (target: typeof a, answer: Role | 'nothing' | 'failed') => {
    if (target.address.kind === 'name') throw new Error('has a name');
    const said = answer === 'nothing' || answer === 'failed' ? null : answer;
    const ok = answer !== 'failed';
    controller.setRole({
      pool: 'web',
      target: target.name,
      endpoint: target.address,
      ok,
      role: said,
    });
    await clock.advance(50);
    await settle();
  };
  const targetStatus = () => controller.snapshot().pools[0]?.targets ?? [];
  return { ...fixture, says, targetStatus, closed: () => engine.closed };
}

/** Of two, b is a replica and a the primary, with 7 connections. */
async function withPrimary() {
  const fixture = await setup('primary', [a, b]);
  const { says, engine, slots } = fixture;
  await says(b, 'replica');
  await says(a, 'primary');
  engine.setActive('target', slots()['a'] ?? -1, 7);
  return fixture;
}

describe('a pool with role: primary', () => {
  it('has nobody before it knows, then the primary alone', async () => {
    const { says, candidates, targetStatus } = await setup('primary');
    expect(candidates()).toEqual([]);
    await says(a, 'replica');
    await says(b, 'primary');
    expect(candidates()).toEqual([]);
    await says(c, 'failed');
    expect(candidates()).toEqual(['b']);
    expect(targetStatus()).toMatchObject([
      { role: 'replica', eligible: false },
      { role: 'primary', eligible: true },
      { role: '', eligible: false },
    ]);
  });

  it('moves when another is confirmed, and then cuts the connections of the former', async () => {
    const { says, candidates, closed, slots, health, log } = await withPrimary();
    await says(a, 'failed');
    await says(b, 'primary');
    await says(b, 'primary');
    await says(b, 'primary');
    // Sure of b, but a has failed one check only: nobody moves, nothing is cut.
    expect(candidates()).toEqual(['a']);
    expect(closed()).toEqual([]);
    health(a, 'unhealthy');
    await says(a, 'failed');
    expect(candidates()).toEqual(['b']);
    expect(closed()).toEqual([{ scope: 'target', slot: slots()['a'] }]);
    expect(log.of('primary_changed')).toEqual([
      { pool: 'web', target: 'a', previous: '' },
      { pool: 'web', target: 'b', previous: 'a' },
    ]);
    expect(log.of('connections_closed')).toEqual([{ owner: 'target', name: 'web/a', active: 7 }]);
  });

  it('keeps connections to a primary that is down while nobody else is it', async () => {
    const { says, candidates, closed, health } = await withPrimary();
    health(a, 'unhealthy');
    for (let probe = 0; probe < 9; probe++) {
      await says(a, 'failed');
      await says(b, 'replica');
    }
    expect(candidates()).toEqual([]);
    expect(closed()).toEqual([]);
    health(a, 'healthy');
    await says(a, 'primary');
    expect(candidates()).toEqual(['a']);
  });

  it('cuts not before every worker picks the new one', async () => {
    const { says, closed, engine } = await withPrimary();
    await says(a, 'replica');
    await says(b, 'primary');
    await says(b, 'primary');
    engine.hold();
    await says(b, 'primary');
    expect(closed()).toEqual([]);
    engine.release();
    await settle();
    expect(closed()).toHaveLength(1);
  });

  it('gives a primary that says it is a replica no more, before another is there', async () => {
    const { says, candidates, closed } = await setup('primary', [a, b]);
    await says(b, 'replica');
    await says(a, 'primary');
    await says(a, 'replica');
    expect(candidates()).toEqual([]);
    await says(a, 'primary');
    expect(candidates()).toEqual(['a']);
    expect(closed()).toEqual([]);
  });

  it('keeps the present one in a split brain, and says so once', async () => {
    const { says, candidates, closed, log } = await setup('primary', [a, b]);
    await says(b, 'replica');
    await says(a, 'primary');
    for (let probe = 0; probe < 6; probe++) {
      await says(b, 'primary');
      await says(a, 'primary');
    }
    expect(candidates()).toEqual(['a']);
    expect(closed()).toEqual([]);
    expect(log.of('split_brain')).toEqual([{ pool: 'web', kept: 'a', other: 'b' }]);
  });

  it('follows an operator who takes its primary out, and cuts its connections then', async () => {
    const { says, candidates, closed, controller, slots } = await withPrimary();
    controller.setAdminState('web', 'a', 'disabled');
    await says(b, 'primary');
    await says(b, 'primary');
    expect(candidates()).toEqual([]);
    expect(closed()).toEqual([]);
    await says(b, 'primary');
    expect(candidates()).toEqual(['b']);
    expect(closed()).toEqual([{ scope: 'target', slot: slots()['a'] }]);
  });

  it('cuts at once when an operator takes out one of two that are confirmed', async () => {
    const fixture = await withPrimary();
    const { says, candidates, closed, controller, clock } = fixture;
    for (let probe = 0; probe < 3; probe++) await says(b, 'primary');
    controller.setAdminState('web', 'a', 'draining');
    await clock.advance(50);
    await settle();
    expect(candidates()).toEqual(['b']);
    expect(closed()).toHaveLength(1);
  });

  it('cuts nothing when a reload has made it a pool without a role meanwhile', async () => {
    const fixture = await withPrimary();
    const { says, candidates, closed, controller, clock, engine, log } = fixture;
    await says(a, 'replica');
    await says(b, 'primary');
    await says(b, 'primary');
    engine.hold();
    const reloaded = controller.reload(config([listener('in', 'web')], [pool('web', [a, b])]));
    await says(b, 'primary');
    expect(log.of('primary_changed')).toHaveLength(2);
    engine.release();
    await reloaded;
    await clock.advance(50);
    await settle();
    const { wanted, applied } = controller.generation;
    expect(applied).toBe(wanted);
    expect(candidates()).toEqual(['a', 'b']);
    expect(closed()).toEqual([]);
  });

  it('has another one at once when a reload takes its primary out', async () => {
    const { says, candidates, clock, controller } = await setup('primary', [a, b, c]);
    await says(a, 'primary');
    await says(b, 'primary');
    await says(c, 'replica');
    expect(candidates()).toEqual(['a']);
    const rest = pool('web', [b, c], { role: 'primary' });
    await controller.reload(config([listener('in', 'web')], [rest]));
    await clock.advance(50);
    await settle();
    expect(candidates()).toEqual(['b']);
  });

  it('keeps its primary over a reload', async () => {
    const { says, candidates, controller } = await setup('primary', [a, b]);
    await says(a, 'replica');
    await says(b, 'primary');
    const both = pool('web', [b, a, c], { role: 'primary' });
    await controller.reload(config([listener('in', 'web')], [both]));
    expect(candidates()).toEqual(['b']);
  });

  it('disregards health, but never the role, when it may use all', async () => {
    const fixture = setupController();
    const { controller, candidates, health } = fixture;
    const changes = { role: 'primary', whenNoneHealthy: 'use_all' } as const;
    await controller.start(config([listener('in', 'web')], [pool('web', [a, b], changes)]));
    expect(candidates()).toEqual([]);
    health(a, 'unhealthy');
    expect(candidates()).toEqual([]);
  });
});

describe('a pool with role: replica', () => {
  it('has those that say so, and loses one that is promoted, but not its connections', async () => {
    const { says, candidates, closed, engine, slots } = await setup('replica');
    await says(a, 'primary');
    await says(b, 'replica');
    await says(c, 'replica');
    expect(candidates()).toEqual(['b', 'c']);
    engine.setActive('target', slots()['b'] ?? -1, 3);
    await says(b, 'failed');
    expect(candidates()).toEqual(['b', 'c']);
    await says(b, 'primary');
    expect(candidates()).toEqual(['c']);
    expect(closed()).toEqual([]);
  });
});
