// Where the page is, as its address says.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hashOf, type Place, placeOf, topViews } from '../../../src/dashboard/place.ts';

const name = fc.string({ minLength: 1, unit: 'grapheme' });

it('every place is found again by its address, whatever its names are', () => {
  const places = fc.oneof(
    fc.constantFrom(...topViews).map((view): Place => ({ view })),
    fc.record({ view: fc.constantFrom('listener' as const, 'pool' as const), name }),
    fc.record({ view: fc.constant('target' as const), pool: name, name }),
  );
  fc.assert(
    fc.property(places, (place) => {
      expect(placeOf(hashOf(place))).toEqual(place);
    }),
  );
});

it.each(['', '#', '#/', '#/nowhere', '#/pool', '#/target/web', '#/listener//'])(
  'the address %j is the overview',
  (hash) => {
    expect(placeOf(hash)).toEqual({ view: 'overview' });
  },
);

it('an address that is cut within a character is taken as it is', () => {
  expect(placeOf('#/pool/%E4%A')).toEqual({ view: 'pool', name: '%E4%A' });
});
