// Which targets the dashboard shows, in which order, and how they stood.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { worstOf } from '../../../src/dashboard/flow.tsx';
import { pageOf } from '../../../src/dashboard/pager.tsx';
import { chooseTargets } from '../../../src/dashboard/pool-view.tsx';
import { countStandings } from '../../../src/dashboard/standing.tsx';
import { spansOf } from '../../../src/dashboard/timeline.tsx';
import { weightIn } from '../../../src/dashboard/weight-action.tsx';
import { noRates } from '../../../src/model/overview.ts';
import type { TargetStanding } from '../../../src/model/placement.ts';

function target(name: string, standing: TargetStanding, active: number | null = null) {
  return {
    name,
    address: `10.0.0.1:${name}`,
    standing,
    eligible: standing === 'healthy',
    weight: 1,
    ...noRates,
    active,
  };
}

const four = [
  target('b', 'healthy', 3),
  target('a', 'draining', 9),
  target('d', 'unhealthy'),
  target('c', 'unhealthy', 1),
];

const namesBy = (choice: Partial<Parameters<typeof chooseTargets>[1]>) =>
  chooseTargets(four, { search: '', standing: '', sort: 'file', ...choice })
    .map(({ name }) => name)
    .join('');

it('targets are searched by name or address, and chosen by how they stand', () => {
  expect(namesBy({})).toBe('badc');
  expect(namesBy({ search: 'D' })).toBe('d');
  expect(namesBy({ search: '10.0.0.1:c' })).toBe('c');
  expect(namesBy({ standing: 'unhealthy' })).toBe('dc');
  expect(namesBy({ search: 'nothing' })).toBe('');
});

it('targets are sorted by name, by gravity, or by a column with the unknown at its end', () => {
  expect(namesBy({ sort: 'name' })).toBe('abcd');
  expect(namesBy({ sort: 'worst' })).toBe('dcab');
  expect(namesBy({ sort: 'open' })).toBe('abcd');
  expect(namesBy({ sort: 'no such column' })).toBe('badc');
});

it('the worst targets are the gravest that are not healthy', () => {
  expect(worstOf(four, 2).map(({ name }) => name)).toEqual(['d', 'c']);
  expect(worstOf(four, 9).map(({ name }) => name)).toEqual(['d', 'c', 'a']);
});

it('standings are counted in the order of the bar, without what there is none of', () => {
  expect(countStandings(four)).toEqual([
    ['healthy', 1],
    ['draining', 1],
    ['unhealthy', 2],
  ]);
});

it('pages hold every row once, and a page that is gone is the last one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.integer({ min: 1, max: 20 }), (all, size) => {
      const { pages } = pageOf(all, 0, size);
      const shown = Array.from({ length: pages }, (_, page) => pageOf(all, page, size).items);
      expect(shown.flat()).toEqual(all);
      expect(pageOf(all, pages + 3, size)).toEqual(pageOf(all, pages - 1, size));
      expect(pageOf(all, -1, size).page).toBe(0);
    }),
  );
});

it('steps that are alike become one span, and a gap ends it', () => {
  const endMs = [1000, 2000, 3000, 4000, 5000];
  const standing = ['healthy', 'healthy', 'unhealthy', null, 'unhealthy'] as const;
  expect(spansOf({ endMs, standing })).toEqual([
    { standing: 'healthy', fromMs: 0, toMs: 2000 },
    { standing: 'unhealthy', fromMs: 2000, toMs: 3000 },
    { standing: 'unhealthy', fromMs: 4000, toMs: 5000 },
  ]);
  expect(spansOf({ endMs, standing: null })).toEqual([]);
});

it.each([
  ['0', 0],
  [' 12 ', 12],
  ['65535', 65_535],
  ['65536', null],
  ['-1', null],
  ['1.5', null],
  ['', null],
  ['many', null],
])('the weight %j is %j', (text, weight) => {
  expect(weightIn(text)).toBe(weight);
});
