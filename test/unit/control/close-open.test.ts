// Closing what is open: whose slots the engine is told, and how many that meets.
import { expect, it } from 'vitest';
import { closeOpen } from '../../../src/control/close-open.js';
import { a, b, setupController } from '../../support/controller-fixture.js';
import { config, ip, listener, named, pool, target } from '../../support/sample-config.js';

const far = target('far', { address: named('far.example') });

/** Two listeners, and two pools that both have a target `a`. */
async function start() {
  const fixture = setupController();
  const { controller, engine } = fixture;
  const one = config(
    [listener('in', 'web'), listener('other', 'db')],
    [pool('web', [a, b, far]), pool('db', [a])],
  );
  await controller.start(one);
  const slotOf = (poolName: string, name: string) =>
    engine.table.targets
      .map(({ slot }) => slot)
      .filter((slot) => {
        const owner = controller.targetAt(slot);
        return owner?.pool === poolName && owner.target === name;
      });
  return { ...fixture, one, slotOf };
}

it('tells the workers of the slot that has the name, in its own pool alone', async () => {
  const { controller, engine, slotOf } = await start();
  const [slot = -1] = slotOf('db', 'a');
  engine.setActive('target', slot, 3);
  expect(closeOpen(engine, controller, { pool: 'db', target: 'a' })).toBe(3);
  engine.setActive('listener', 1, 5);
  expect(closeOpen(engine, controller, { listener: 'other' })).toBe(5);
  expect(engine.closed).toEqual([
    { scope: 'target', slot },
    { scope: 'listener', slot: 1 },
  ]);
  controller.close();
});

it('says of what is not there that it is not, and closes nothing', async () => {
  const { controller, engine } = await start();
  for (const wish of [
    { listener: 'x' },
    { pool: 'x', target: 'a' },
    { pool: 'db', target: 'b' },
  ] as const) {
    expect(closeOpen(engine, controller, wish)).toBeNull();
  }
  // A target whose name has never been resolved is there, and has nothing open.
  expect(closeOpen(engine, controller, { pool: 'web', target: 'far' })).toBe(0);
  expect(engine.closed).toEqual([]);
  controller.close();
});

it('meets what is open at every address that the name has had', async () => {
  const { controller, engine, names, one, slotOf } = await start();
  names.set('far.example', ip('192.0.2.50'));
  await controller.reload(one);
  const [before = -1] = slotOf('web', 'far');
  engine.setActive('target', before, 2);
  names.set('far.example', ip('192.0.2.51'));
  await controller.reload(one);
  const after = slotOf('web', 'far').find((slot) => slot !== before) ?? -1;
  engine.setActive('target', after, 4);
  expect(closeOpen(engine, controller, { pool: 'web', target: 'far' })).toBe(6);
  expect(engine.closed.map(({ slot }) => slot).toSorted()).toEqual([before, after].toSorted());
  controller.close();
});

it('meets a listener and a target that were removed while something is open', async () => {
  const { controller, engine, slotOf } = await start();
  const [slot = -1] = slotOf('db', 'a');
  engine.setActive('target', slot, 1);
  engine.setActive('listener', 1, 1);
  await controller.reload(config([listener('in', 'web')], [pool('web', [a])]));
  expect(closeOpen(engine, controller, { pool: 'db', target: 'a' })).toBe(1);
  expect(closeOpen(engine, controller, { listener: 'other' })).toBe(1);
  controller.close();
});
