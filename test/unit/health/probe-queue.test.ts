// The order in which waiting probes start.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ProbeQueue } from '../../../src/health/probe-queue.js';

function drain(queue: ProbeQueue<string>): string[] {
  const taken: string[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item);
  return taken;
}

it('serves pools in turn, and each pool in order of arrival', () => {
  const queue = new ProbeQueue<string>();
  for (const item of ['a1', 'a2', 'a3', 'a4']) queue.add('a', item);
  for (const item of ['b1', 'b2']) queue.add('b', item);
  expect(drain(queue)).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'a4']);
});

it('forgets what was deleted and keeps one place for what is added twice', () => {
  const queue = new ProbeQueue<string>();
  queue.add('a', 'a1');
  queue.add('a', 'a1');
  queue.add('a', 'a2');
  queue.delete('a', 'a2');
  queue.delete('b', 'never there');
  expect(queue.size).toBe(1);
  expect(drain(queue)).toEqual(['a1']);
});

it('never makes an item wait for more than one turn of every other pool', () => {
  const arrivals = fc.array(fc.tuple(fc.nat(4), fc.nat(30)), { maxLength: 100 });
  fc.assert(
    fc.property(arrivals, (items) => {
      const queue = new ProbeQueue<string>();
      for (const [lane, item] of items) queue.add(`${lane}`, `${lane}/${item}`);
      expect(queue.size).toBe(new Set(items.map(String)).size);
      const taken = drain(queue);
      expect(queue.size).toBe(0);
      expect(taken.toSorted()).toEqual([...new Set(items.map(([l, i]) => `${l}/${i}`))].toSorted());
      for (let index = 1; index < taken.length; index++) {
        const lane = taken[index]?.split('/')[0];
        if (taken[index - 1]?.split('/')[0] !== lane) continue;
        // The same pool twice in a row: nobody else waits.
        expect(taken.slice(index).every((item) => item.split('/')[0] === lane)).toBe(true);
      }
    }),
  );
});
