// The controller: how changes become tables, and what becomes of removed things.
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/errors.js';
import { a, b, c, setupController, web } from '../../support/controller-fixture.js';
import { settle } from '../../support/fake-clock.js';
import { at, config, ip, listener, named, pool, target } from '../../support/sample-config.js';

describe('a change', () => {
  it('joins others of the same 20 ms in one table', async () => {
    const { clock, engine, controller, health, candidates } = setupController();
    expect(await controller.start(web([a, b, c]))).toEqual({ applied: true, generation: 1 });
    expect(controller.generation).toEqual({ wanted: 1, applied: 1 });
    health(a, 'unhealthy');
    await clock.advance(15);
    const generation = health(b, 'unhealthy');
    expect(generation).toBe(2);
    expect(controller.generation).toEqual({ wanted: 2, applied: 1 });
    await clock.advance(4);
    expect(engine.sent).toHaveLength(1);
    await clock.advance(1);
    expect(await controller.whenApplied(generation)).toBe(true);
    expect(engine.sent).toHaveLength(2);
    expect(candidates()).toEqual(['c']);
    expect(controller.generation).toEqual({ wanted: 2, applied: 2 });
    controller.close();
  });

  it('that is reported before the first table is applied is in it, or in the next', async () => {
    const { clock, engine, controller, health, candidates } = setupController();
    health(a, 'unhealthy');
    health(c, 'unhealthy');
    engine.hold();
    const started = controller.start(web());
    await settle();
    health(b, 'unhealthy');
    engine.release();
    await started;
    expect(candidates()).toEqual(['b']);
    await clock.advance(20);
    expect(candidates()).toEqual([]);
    expect(engine.sent).toHaveLength(2);
    controller.close();
  });

  it('that means nothing to the table makes none', async () => {
    const { clock, engine, controller, health } = setupController();
    await controller.start(web());
    expect(health(a, 'healthy')).toBe(1);
    expect(controller.setAdminState('web', 'a', 'enabled')).toBe(1);
    expect(controller.setAdminState('web', 'nobody', 'enabled')).toBeNull();
    await clock.advance(1000);
    expect(engine.sent).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
    controller.close();
  });

  it('that comes while a table is on its way waits for the next one', async () => {
    const { clock, engine, controller, health, candidates } = setupController();
    await controller.start(web([a, b, c]));
    engine.hold();
    health(a, 'unhealthy');
    await clock.advance(20);
    expect(engine.sent).toHaveLength(2);
    expect(health(b, 'unhealthy')).toBe(3);
    await clock.advance(1000);
    expect(engine.sent).toHaveLength(2);
    expect(controller.generation).toEqual({ wanted: 3, applied: 1 });
    engine.release();
    await clock.advance(20);
    expect(engine.sent).toHaveLength(3);
    expect(candidates()).toEqual(['c']);
    controller.close();
  });

  it('is tried again every second when the engine refuses its table', async () => {
    const { clock, engine, controller, health, log, candidates } = setupController();
    await controller.start(web());
    engine.refuseNext({ reason: 'no_memory', error: 'ENOMEM' });
    engine.refuseNext({ reason: 'no_memory', error: 'ENOMEM' });
    const generation = health(a, 'unhealthy');
    await clock.advance(20);
    expect(controller.generation).toEqual({ wanted: 3, applied: 1 });
    await clock.advance(1999);
    expect(controller.generation.applied).toBe(1);
    await clock.advance(1);
    expect(await controller.whenApplied(generation)).toBe(true);
    expect(candidates()).toEqual(['b']);
    expect(log.of('table_rejected')).toMatchObject([
      { generation: 2, reason: 'no_memory', error: 'ENOMEM', retryMs: 1000 },
      { generation: 3 },
    ]);
    controller.close();
  });

  it('of health that comes late, about what is no longer configured, is dropped', async () => {
    const { clock, engine, controller, health } = setupController();
    await controller.start(web());
    health(c, 'unhealthy');
    health({ ...a, address: at('192.0.2.50') }, 'unhealthy');
    health(a, 'unhealthy', 'elsewhere');
    await clock.advance(100);
    expect(engine.sent).toHaveLength(1);
    controller.close();
  });
});

describe('what was removed', () => {
  it('keeps its connections until the drain timeout, then they are closed', async () => {
    const { clock, engine, controller, log, candidates } = setupController();
    const two = config([listener('in', 'web'), listener('old', 'web')], [pool('web', [a, b])]);
    await controller.start(two);
    engine.setActive('target', 0, 5);
    engine.setActive('listener', 1, 5);
    await controller.reload(web([b]));
    expect(candidates()).toEqual(['b']);
    expect(engine.table.targets).toMatchObject([
      { name: 'b', slot: 1 },
      { name: 'a', slot: 0, servesSessions: true },
    ]);
    expect(controller.active()).toBe(5);
    expect(controller.targetAt(0)).toEqual({ pool: 'web', target: 'a' });
    expect(controller.listenerAt(1)).toBe('old');
    await clock.advance(9900);
    expect(engine.closed).toEqual([]);
    engine.setActive('target', 0, 3);
    await clock.advance(100);
    expect(engine.closed.toSorted((x, y) => x.scope.localeCompare(y.scope))).toEqual([
      { scope: 'listener', slot: 1 },
      { scope: 'target', slot: 0 },
    ]);
    await clock.advance(200);
    expect(log.of('drain_finished')).toMatchObject([
      { owner: 'listener', name: 'old', cut: 5 },
      { owner: 'target', name: 'web/a', cut: 3 },
    ]);
    expect(clock.pendingTimers).toBe(0);
    controller.close();
  });

  it('is let go as soon as its last connection has ended, and its slot is used again', async () => {
    const { clock, engine, controller, log, slots } = setupController();
    await controller.start(web());
    engine.setActive('target', 0, 1);
    await controller.reload(web([b]));
    await clock.advance(1000);
    await controller.reload(web([b, c]));
    expect(slots()).toEqual({ a: 0, b: 1, c: 2 });
    engine.setActive('target', 0, 0);
    await clock.advance(100);
    expect(log.of('drain_finished')).toMatchObject([{ name: 'web/a', cut: 0 }]);
    await controller.reload(web([b, c, target('d', { address: at('192.0.2.4') })]));
    expect(slots()).toEqual({ b: 1, c: 2, d: 0 });
    await clock.advance(60_000);
    expect(engine.closed).toEqual([]);
    controller.close();
  });

  it('and comes back in time has its slot and connections as if nothing had been', async () => {
    const { clock, engine, controller, slots } = setupController();
    await controller.start(web());
    engine.setActive('target', 0, 1);
    engine.setTotal('target', 0, 40);
    await controller.reload(web([b]));
    await clock.advance(5000);
    await controller.reload(web([b, a]));
    expect(slots()).toEqual({ a: 0, b: 1 });
    await clock.advance(60_000);
    expect(engine.closed).toEqual([]);
    expect(controller.snapshot().pools[0]?.targets[1]).toMatchObject({
      name: 'a',
      active: 1,
      totals: { connections: 40 },
    });
    controller.close();
  });

  it('does not pass on its counters with its slot', async () => {
    const { engine, controller, slots } = setupController();
    await controller.start(web());
    engine.setTotal('target', 0, 40);
    await controller.reload(web([b]));
    await controller.reload(web([b, c]));
    engine.setTotal('target', slots()['c'] ?? -1, 43);
    expect(slots()).toMatchObject({ c: 0 });
    expect(controller.snapshot().pools[0]?.targets[1]).toMatchObject({
      name: 'c',
      totals: { connections: 3 },
    });
    controller.close();
  });
});

describe('a name', () => {
  const db = target('db', { address: named('db.internal', 80) });

  it('that is not resolved leaves its target out, and brings it in once it is', async () => {
    const { clock, controller, names, candidates } = setupController();
    await controller.start(web([db, b]));
    expect(candidates()).toEqual(['b']);
    expect(controller.snapshot().pools[0]?.targets[0]).toMatchObject({
      address: 'db.internal:80',
      resolved: null,
      health: 'unhealthy',
      healthReason: 'unresolved',
      eligible: false,
    });
    names.set('db.internal', ip('192.0.2.70'));
    const generation = controller.lookAgain();
    await clock.advance(20);
    expect(await controller.whenApplied(generation)).toBe(true);
    expect(candidates()).toEqual(['db', 'b']);
    expect(controller.snapshot().pools[0]?.targets[0]).toMatchObject({
      resolved: '192.0.2.70:80',
      health: 'unknown',
      eligible: true,
    });
    controller.close();
  });

  it('that moves gets a new slot, keeps the admin state and drains the old address', async () => {
    const { clock, engine, controller, names, candidates, log } = setupController();
    names.set('db.internal', ip('192.0.2.70'));
    await controller.start(web([db, b]));
    engine.setActive('target', 0, 2);
    controller.setAdminState('web', 'db', 'draining');
    names.set('db.internal', ip('192.0.2.71'));
    controller.lookAgain();
    await clock.advance(20);
    expect(candidates()).toEqual(['b']);
    expect(engine.table.targets).toMatchObject([
      { name: 'db', slot: 2, address: at('192.0.2.71') },
      { name: 'b', slot: 1 },
      { name: 'db', slot: 0, address: at('192.0.2.70') },
    ]);
    await clock.advance(10_000);
    expect(engine.closed).toEqual([{ scope: 'target', slot: 0 }]);
    expect(log.of('drain_started')).toMatchObject([{ owner: 'target', name: 'web/db', active: 2 }]);
    controller.close();
  });

  it('that resolves while the first table is on its way is not forgotten', async () => {
    const { clock, engine, controller, names, candidates } = setupController();
    engine.hold();
    const started = controller.start(web([db, b]));
    await settle();
    names.set('db.internal', ip('192.0.2.70'));
    controller.lookAgain();
    engine.release();
    await started;
    await clock.advance(20);
    expect(candidates()).toEqual(['db', 'b']);
    controller.close();
  });
});

describe('a shutdown', () => {
  it('closes the listeners at once and refuses configurations from then on', async () => {
    const { engine, controller } = setupController();
    await controller.start(web());
    expect(await controller.drainListeners()).toBe(true);
    expect(engine.table.listeners).toEqual([]);
    expect(engine.table.targets).toHaveLength(2);
    expect(await controller.reload(web([c]))).toMatchObject({
      applied: false,
      reason: 'shutting_down',
    });
    expect(controller.snapshot().listeners).toHaveLength(1);
    controller.close();
  });

  it('follows a reload that is on its way', async () => {
    const { engine, controller } = setupController();
    await controller.start(web());
    engine.hold();
    const reload = controller.reload(web([c]));
    await settle();
    const drained = controller.drainListeners();
    engine.release();
    expect(await reload).toMatchObject({ applied: true });
    expect(await drained).toBe(true);
    expect(engine.table.listeners).toEqual([]);
    controller.close();
  });

  it('before a start, or after one that was refused, has nothing to close', async () => {
    const { engine, controller } = setupController();
    engine.refuseNext({ reason: 'permission_denied', listenerSlot: 0, error: 'EACCES' });
    expect(await controller.start(web())).toMatchObject({ applied: false, listener: 'in' });
    expect(await controller.drainListeners()).toBe(true);
    expect(await controller.start(web())).toMatchObject({
      applied: false,
      reason: 'shutting_down',
    });
    expect(engine.sent).toHaveLength(1);
    controller.close();
  });

  it('releases whoever waits for a generation, and leaves no timer behind', async () => {
    const { clock, engine, controller, health } = setupController();
    await controller.start(web());
    engine.setActive('target', 0, 1);
    await controller.reload(web([b]));
    const waiting = controller.whenApplied(health(b, 'unhealthy'));
    controller.close();
    expect(await waiting).toBe(false);
    expect(await controller.whenApplied(99)).toBe(false);
    expect(clock.pendingTimers).toBe(0);
    expect(await controller.reload(web())).toMatchObject({ reason: 'shutting_down' });
  });

  it('does not adopt a table that arrives after close', async () => {
    const { clock, engine, controller, health } = setupController();
    await controller.start(web());
    engine.hold();
    health(a, 'unhealthy');
    await clock.advance(20);
    controller.close();
    engine.refuseNext(new SluiceError('SLUICE_ENGINE_CLOSED', 'the engine is closed'));
    engine.release();
    await settle();
    expect(clock.pendingTimers).toBe(0);
  });
});
