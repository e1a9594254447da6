// Slots over reloads, by example and by property.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignIds, type Ids, type Keys, noIds, type SlotKind } from '../../../src/control/ids.js';

const limits = { listeners: 8, pools: 8, targets: 8 };
const idle = { limits, active: () => false };

function targets(...keys: string[]): Keys {
  return { listeners: [], pools: [], targets: keys };
}

function assign(
  previous: Ids,
  keys: Keys,
  active: (kind: SlotKind, slot: number) => boolean = () => false,
) {
  const outcome = assignIds(previous, keys, { limits, active });
  if (!outcome.ok) throw new Error(`no ${outcome.kind} left`);
  return outcome.ids;
}

const slotsOf = (ids: Ids) => Object.fromEntries(ids.targets.used);

describe('slots', () => {
  it('are given lowest first, in the order of the file', () => {
    expect(slotsOf(assign(noIds, targets('a', 'b', 'c')))).toEqual({ a: 0, b: 1, c: 2 });
  });

  it('stay with their key when others come, go or change places', () => {
    const first = assign(noIds, targets('a', 'b', 'c'));
    expect(slotsOf(assign(first, targets('c', 'x', 'b')))).toEqual({ c: 2, b: 1, x: 3 });
  });

  it('are free again only in the step after they were given up, when nothing is active', () => {
    const first = assign(noIds, targets('a', 'b'));
    const second = assign(first, targets('b', 'x'));
    expect(slotsOf(second)).toEqual({ b: 1, x: 2 });
    const busy = assign(second, targets('b', 'x', 'y'), (_, slot) => slot === 0);
    expect(slotsOf(busy)).toEqual({ b: 1, x: 2, y: 3 });
    expect(slotsOf(assign(busy, targets('b', 'x', 'y', 'z')))).toEqual({ b: 1, x: 2, y: 3, z: 0 });
  });

  it('come back to a key that returns while its connections live, and also after', () => {
    const first = assign(noIds, targets('a', 'b'));
    const second = assign(first, targets('b'));
    expect(slotsOf(assign(second, targets('b', 'x', 'a'), () => true))).toEqual({
      b: 1,
      a: 0,
      x: 2,
    });
    expect(slotsOf(assign(second, targets('x', 'a', 'b')))).toEqual({ b: 1, a: 0, x: 2 });
  });

  it('that are not enough are an error that changes nothing', () => {
    const eight = targets(...'abcdefgh');
    const full = assign(noIds, eight);
    expect(assignIds(full, targets(...'abcdefghi'), idle)).toEqual({
      ok: false,
      kind: 'targets',
      limit: 8,
    });
    // The removed ones still hold theirs.
    expect(assignIds(full, targets('x'), idle).ok).toBe(false);
    expect(
      assignIds(assign(full, targets('a')), targets('a', 'x'), { limits, active: () => true }).ok,
    ).toBe(false);
    expect(assignIds(assign(full, targets('a')), targets('a', 'x'), idle).ok).toBe(true);
    expect(full).toEqual(assign(noIds, eight));
  });

  it('are stable, unique, lowest and never taken from the living, over any reloads', () => {
    const step = fc.record({
      keys: fc.uniqueArray(fc.constantFrom(...'abcdefghijkl'), { maxLength: 8 }),
      active: fc.uniqueArray(fc.nat(19)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let ids = noIds;
        for (const { keys, active } of steps) {
          const isActive = (_: SlotKind, slot: number) => active.includes(slot);
          const outcome = assignIds(ids, targets(...keys), {
            limits: { ...limits, targets: 20 },
            active: isActive,
          });
          if (!outcome.ok) throw new Error('20 slots are enough for 8 used and 12 keys');
          const { used, retired } = outcome.ids.targets;
          expect([...used.keys()].toSorted()).toEqual(keys.toSorted());
          const all = [...used.values(), ...retired.values()];
          expect(new Set(all).size).toBe(all.length);
          for (const [key, slot] of ids.targets.used) {
            expect(used.get(key) ?? retired.get(key)).toBe(slot);
          }
          for (const [key, slot] of ids.targets.retired) {
            if (keys.includes(key)) expect(used.get(key)).toBe(slot);
            else expect(retired.get(key)).toBe(active.includes(slot) ? slot : undefined);
          }
          const given = keys.filter(
            (key) => !ids.targets.used.has(key) && !ids.targets.retired.has(key),
          );
          const taken = new Set(all);
          for (const key of given) {
            const slot = used.get(key) ?? 0;
            for (let lower = 0; lower < slot; lower++) expect(taken.has(lower)).toBe(true);
          }
          ids = outcome.ids;
        }
      }),
      { numRuns: 200 },
    );
  });
});
