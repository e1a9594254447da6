// What the controller does about connections of targets that drain or go down.
import { describe, expect, it } from 'vitest';
import type { Pool } from '../../../src/model/pool.js';
import { a, b, c, setupController } from '../../support/controller-fixture.js';
import { config, listener, pool, sticky } from '../../support/sample-config.js';

const drain = { deadlineMs: 1000, closeOverMs: 0 };
const withPool = (changes: Partial<Pool>, targets = [a, b]) =>
  config([listener('in', 'web')], [pool('web', targets, { drain, ...changes })]);

type Setup = ReturnType<typeof setupController>;

async function started(changes: Partial<Pool>): Promise<Setup & { readonly slot: number }> {
  const setup = setupController();
  await setup.controller.start(withPool(changes));
  const slot = setup.slots().a ?? -1;
  setup.engine.setActive('target', slot, 4);
  return { ...setup, slot };
}

const drainOf = ({ controller }: Setup) => controller.snapshot().pools[0]?.targets[0]?.drain;

describe('on_down', () => {
  it('keep leaves the connections of a target that goes down', async () => {
    const { health, clock, engine } = await started({ onDown: 'keep' });
    health(a, 'unhealthy');
    await clock.advance(60_000);
    expect(engine.closed).toEqual([]);
  });

  it('close closes them once no worker sends new clients there, and only once', async () => {
    const setup = await started({ onDown: 'close' });
    const { health, clock, engine, slot, log } = setup;
    engine.hold();
    health(a, 'unhealthy');
    await clock.advance(20);
    expect(engine.closed).toEqual([]);
    engine.release();
    await clock.advance(0);
    expect(engine.closed).toEqual([{ scope: 'target', slot }]);
    expect(log.of('connections_closed')).toEqual([{ owner: 'target', name: 'web/a', active: 4 }]);
    await setup.controller.reload(withPool({ onDown: 'close' }));
    expect(engine.closed).toHaveLength(1);
    health(a, 'healthy');
    await clock.advance(20);
    health(a, 'unhealthy');
    await clock.advance(20);
    expect(engine.closed).toHaveLength(2);
  });

  it('drain closes at the deadline what is left, unless the target is back before', async () => {
    const setup = await started({ onDown: 'drain' });
    const { health, clock, engine, slot } = setup;
    health(a, 'unhealthy');
    await clock.advance(20);
    expect(drainOf(setup)).toMatchObject({ cause: 'down', phase: 'waiting' });
    health(a, 'healthy');
    await clock.advance(20);
    expect(drainOf(setup)).toBeNull();
    await clock.advance(5000);
    expect(engine.closed).toEqual([]);
    health(a, 'unhealthy');
    await clock.advance(1100);
    expect(engine.closed).toEqual([{ scope: 'target', slot }]);
  });

  it('acts on ejections and on what agents say too', async () => {
    const passive = { maxFails: 1, failTimeoutMs: 10_000, endOnProbe: false };
    const { controller, clock, engine, slot, agents } = await started({ onDown: 'close', passive });
    controller.connectFailed(slot);
    await clock.advance(20);
    expect(engine.closed).toEqual([{ scope: 'target', slot }]);
    await clock.advance(11_000);
    const { key } = { key: JSON.stringify(['web', 'a', '192.0.2.1:80']) };
    agents.set(key, { weight: null, maxConnections: null, adminState: null, up: false });
    controller.lookAgain();
    await clock.advance(20);
    expect(engine.closed).toHaveLength(2);
  });

  it('does nothing where targets that are down are used nevertheless', async () => {
    const { health, clock, engine } = await started({
      onDown: 'close',
      whenNoneHealthy: 'use_all',
    });
    health(a, 'unhealthy');
    health(b, 'unhealthy');
    await clock.advance(20);
    expect(engine.closed).toEqual([]);
  });

  it('does nothing for what an operator takes out', async () => {
    const { controller, clock, engine } = await started({ onDown: 'close' });
    controller.setAdminState('web', 'a', 'disabled');
    await clock.advance(20);
    expect(engine.closed).toEqual([]);
  });
});

describe('a drain that an operator asks for', () => {
  it('begins when every worker knows, by the rules of the pool', async () => {
    const setup = await started({});
    const { controller, clock, engine, candidates, slot } = setup;
    engine.hold();
    const asked = controller.drain('web', 'a', {});
    await clock.advance(20);
    expect(drainOf(setup)).toBeNull();
    engine.release();
    const begun = await asked;
    expect(candidates()).toEqual(['b']);
    expect(drainOf(setup)).toEqual({
      cause: 'operator',
      phase: 'waiting',
      since: '2030-01-01T00:00:00.020Z',
      deadline: '2030-01-01T00:00:01.020Z',
      closed: 0,
    });
    await clock.advance(1100);
    expect(engine.closed).toEqual([{ scope: 'target', slot }]);
    await clock.advance(100);
    expect(await begun?.finished).toMatchObject({ result: 'closed', closed: 4 });
    controller.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('knows no target that is not configured, and none that is gone meanwhile', async () => {
    const { controller, engine, clock } = await started({});
    expect(await controller.drain('web', 'z', {})).toBeNull();
    expect(await controller.drain('none', 'a', {})).toBeNull();
    engine.hold();
    const asked = controller.drain('web', 'a', {});
    const reloaded = controller.reload(withPool({}, [b, c]));
    await clock.advance(20);
    engine.release();
    await reloaded;
    expect(await (await asked)?.finished).toMatchObject({ result: 'removed' });
  });

  it('stops when the target is enabled, also before it has begun', async () => {
    const setup = await started({});
    const { controller, clock, engine } = setup;
    const asked = controller.drain('web', 'a', { deadlineMs: 0, closeOverMs: 1000 });
    controller.setAdminState('web', 'a', 'enabled');
    await clock.advance(20);
    expect(await (await asked)?.finished).toMatchObject({ result: 'cancelled' });
    const again = controller.drain('web', 'a', { deadlineMs: 0, closeOverMs: 1000 });
    await clock.advance(20);
    const begun = await again;
    await clock.advance(100);
    const lots = engine.thinned.length;
    expect(lots).toBeGreaterThan(0);
    controller.setAdminState('web', 'a', 'enabled');
    expect(await begun?.finished).toMatchObject({ result: 'cancelled', active: 4 });
    await clock.advance(5000);
    expect(engine.thinned).toHaveLength(lots);
    expect(engine.closed).toEqual([]);
  });

  it('goes on over a reload, and ends with the target', async () => {
    const setup = await started({});
    const { controller, clock, engine } = setup;
    const asked = controller.drain('web', 'a', {});
    await clock.advance(20);
    const begun = await asked;
    await controller.reload(withPool({ retries: 5 }));
    expect(drainOf(setup)).toMatchObject({
      phase: 'waiting',
      deadline: '2030-01-01T00:00:01.020Z',
    });
    await controller.reload(withPool({}, [b]));
    expect(await begun?.finished).toMatchObject({ result: 'removed', active: 4 });
    expect(engine.closed).toEqual([]);
    controller.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('lets clients stay on the target, but not beyond its deadline', async () => {
    const { controller, clock, engine } = await started({ sticky });
    const serves = () => engine.table.targets.find(({ name }) => name === 'a')?.servesSticky;
    const asked = controller.drain('web', 'a', { deadlineMs: 1000, closeOverMs: 10_000 });
    await clock.advance(20);
    await asked;
    await clock.advance(900);
    expect(serves()).toBe(true);
    await clock.advance(200);
    expect(serves()).toBe(false);
    controller.setAdminState('web', 'a', 'enabled');
    await clock.advance(20);
    expect(serves()).toBe(true);
  });

  it('of a target without an address is over at once', async () => {
    const { controller, clock } = await started({});
    const lost = { ...c, address: { kind: 'name', host: 'nowhere', port: 1 } } as const;
    await controller.reload(withPool({}, [a, lost]));
    const asked = controller.drain('web', 'c', {});
    await clock.advance(20);
    expect(await (await asked)?.finished).toMatchObject({ result: 'drained' });
  });

  it('is stopped with sluice', async () => {
    const { controller, clock } = await started({});
    const asked = controller.drain('web', 'a', {});
    await clock.advance(20);
    const begun = await asked;
    const late = controller.drain('web', 'b', {});
    controller.close();
    expect(await begun?.finished).toMatchObject({ result: 'stopped' });
    expect(await (await late)?.finished).toMatchObject({ result: 'stopped' });
  });
});
