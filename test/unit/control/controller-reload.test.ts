// Reloads of the controller: what stays, what starts anew, what a refusal leaves.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/errors.js';
import { a, b, c, setupController, web } from '../../support/controller-fixture.js';
import { at, check, config, listener, pool, target } from '../../support/sample-config.js';

describe('a reload', () => {
  it('keeps health, admin states and slots of targets that stay', async () => {
    const { clock, controller, health, candidates, slots } = setupController();
    await controller.start(web([a, b, c]));
    health(a, 'unhealthy');
    controller.setAdminState('web', 'b', 'draining');
    await clock.advance(20);
    const d = target('d', { address: at('192.0.2.4') });
    expect(await controller.reload(web([d, { ...c, weight: 5 }, b, a]))).toMatchObject({
      applied: true,
    });
    expect(candidates()).toEqual(['d', 'c']);
    expect(slots()).toEqual({ a: 0, b: 1, c: 2, d: 3 });
    controller.close();
  });

  it('starts anew with targets whose address is another, and with those that return', async () => {
    const { clock, controller, health, candidates } = setupController();
    await controller.start(web());
    health(a, 'unhealthy');
    await clock.advance(20);
    await controller.reload(web([{ ...a, address: at('192.0.2.9') }, b]));
    expect(candidates()).toEqual(['a', 'b']);
    await controller.reload(web());
    expect(candidates()).toEqual(['a', 'b']);
    controller.close();
  });

  it('brings back a dead target when its pool is no longer probed', async () => {
    const { clock, controller, health, candidates } = setupController();
    await controller.start(web());
    health(a, 'unhealthy');
    await clock.advance(20);
    const unprobed = pool('web', [a, b], { health: { ...check, kind: 'none' } });
    await controller.reload(config([listener('in', 'web')], [unprobed]));
    expect(candidates()).toEqual(['a', 'b']);
    controller.close();
  });

  it('takes along changes that wait, and leaves none behind', async () => {
    const { clock, engine, controller, health, candidates } = setupController();
    await controller.start(web());
    const generation = health(a, 'unhealthy');
    await controller.reload(web([a, b, c]));
    expect(controller.generation).toEqual({ wanted: generation, applied: generation });
    expect(candidates()).toEqual(['b', 'c']);
    await clock.advance(1000);
    expect(engine.sent).toHaveLength(2);
    controller.close();
  });

  it('that is refused changes nothing, and tells which address was at fault', async () => {
    const { clock, engine, controller, health, candidates, slots, log } = setupController();
    await controller.start(web());
    engine.refuseNext({
      reason: 'address_in_use',
      listenerSlot: 1,
      bindIndex: 0,
      error: 'EADDRINUSE',
    });
    const before = controller.snapshot();
    const next = config(
      [listener('in', 'web'), listener('second', 'web', { binds: [at('127.0.0.1', 8080)] })],
      [pool('web', [c, b])],
    );
    expect(await controller.reload(next)).toEqual({
      applied: false,
      reason: 'address_in_use',
      message: 'listener second, 127.0.0.1:8080: another socket has the address (EADDRINUSE)',
      listener: 'second',
      address: '127.0.0.1:8080',
      error: 'EADDRINUSE',
    });
    expect(log.of('reload_refused')).toHaveLength(1);
    expect(controller.snapshot()).toEqual(before);
    expect(slots()).toEqual({ a: 0, b: 1 });
    expect(controller.generation).toEqual({ wanted: 1, applied: 1 });
    await clock.advance(5000);
    expect(engine.sent).toHaveLength(2);
    // The slot that the refused reload would have given to c is free.
    await controller.reload(web([a, b, target('x', { address: at('192.0.2.8') })]));
    expect(slots()).toEqual({ a: 0, b: 1, x: 2 });
    health(a, 'unhealthy');
    await clock.advance(20);
    expect(candidates()).toEqual(['b', 'x']);
    controller.close();
  });

  it('that is refused does not take waiting changes with it', async () => {
    const { clock, engine, controller, health, candidates } = setupController();
    await controller.start(web());
    const generation = health(a, 'unhealthy');
    engine.refuseNext({});
    expect(await controller.reload(web([c]))).toMatchObject({ applied: false });
    await clock.advance(20);
    expect(await controller.whenApplied(generation)).toBe(true);
    expect(candidates()).toEqual(['b']);
    expect(controller.generation).toEqual({ wanted: 3, applied: 3 });
    controller.close();
  });

  it('with more targets than slots is refused before the engine hears of it', async () => {
    const { engine, controller, slots } = setupController({ targets: 2 });
    await controller.start(web());
    expect(await controller.reload(web([a, b, c]))).toMatchObject({
      applied: false,
      reason: 'slots_exhausted',
    });
    expect(engine.sent).toHaveLength(1);
    expect(slots()).toEqual({ a: 0, b: 1 });
    expect(controller.generation).toEqual({ wanted: 1, applied: 1 });
    controller.close();
  });

  it('with a table too large for the engine is refused', async () => {
    const { engine, controller } = setupController();
    await controller.start(web());
    engine.refuseNext(new SluiceError('SLUICE_TABLE_TOO_LARGE', 'bytes: 9, at most 8'));
    expect(await controller.reload(web([c]))).toMatchObject({
      applied: false,
      reason: 'too_large',
      message: 'bytes: 9, at most 8',
    });
    controller.close();
  });

  it('waits for the one before it; a ninth that waits is refused', async () => {
    const { engine, controller, slots } = setupController();
    await controller.start(web());
    engine.hold();
    const reloads = Array.from({ length: 8 }, () => controller.reload(web([a, c])));
    expect(await controller.reload(web([b]))).toMatchObject({ applied: false, reason: 'busy' });
    engine.release();
    const outcomes = await Promise.all(reloads);
    expect(outcomes.every(({ applied }) => applied)).toBe(true);
    expect(slots()).toMatchObject({ a: 0, c: 2 });
    controller.close();
  });

  it('of any kind, in any number, never moves a slot nor loses a verdict', async () => {
    const step = fc.record({
      targets: fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 6 }),
      refused: fc.boolean(),
      unhealthy: fc.nat(7),
      active: fc.uniqueArray(fc.nat(7)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const { clock, engine, controller, health } = setupController();
        const all = Array.from({ length: 8 }, (_, i) =>
          target(`t${i}`, { address: at(`10.0.0.${i + 1}`) }),
        );
        const pick = (indices: readonly number[]) => indices.flatMap((index) => all[index] ?? []);
        await controller.start(web(all.slice(0, 2)));
        let present = new Set([0, 1]);
        const down = new Set<number>();
        const slotOf = new Map<number, number>([
          [0, 0],
          [1, 1],
        ]);
        for (const { targets, refused, unhealthy, active } of steps) {
          const dead = all[unhealthy];
          if (dead && present.has(unhealthy)) {
            health(dead, 'unhealthy');
            down.add(unhealthy);
          }
          for (const [index, slot] of slotOf) {
            engine.setActive('target', slot, active.includes(index) ? 1 : 0);
          }
          if (refused) engine.refuseNext({});
          await controller.reload(web(pick(targets)));
          await clock.advance(20);
          if (!refused) {
            for (const index of present) {
              if (!targets.includes(index)) down.delete(index);
            }
            present = new Set(targets);
          }
          const { table } = engine;
          for (const index of present) {
            const name = `t${index}`;
            const at = table.targets.findIndex((entry) => entry.name === name);
            const isCandidate = table.pools[0]?.tiers.some(({ candidates: these }) =>
              these.some((one) => one.target === at),
            );
            expect(isCandidate).toBe(!down.has(index));
          }
          for (const { name, slot } of table.targets) {
            const index = Number(name.slice(1));
            const before = slotOf.get(index);
            // It may only have moved if its slot had been free for others: gone and idle.
            if (before !== undefined && active.includes(index)) expect(slot).toBe(before);
          }
          slotOf.clear();
          for (const { name, slot } of table.targets) slotOf.set(Number(name.slice(1)), slot);
        }
        controller.close();
      }),
      { numRuns: 60 },
    );
  });
});
