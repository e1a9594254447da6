// Suggestions: near enough words only, and the distance is one.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearestWord } from '../../../src/config/suggest.js';

describe('the distance of two words', () => {
  test.each([
    ['', '', 0],
    ['pool', 'pool', 0],
    ['pool', 'pol', 1],
    ['pool', 'pools', 1],
    ['pool', 'poll', 1],
    ['pool', 'polo', 1],
    ['wbe', 'web', 1],
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['ca', 'abc', 3],
  ])('%j to %j is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  test('is symmetric, zero only for equal words, and bounded by the longer one', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe('the nearest word', () => {
  const keys = ['bind', 'pool', 'protocol', 'timeouts', 'max_connections'];

  test.each([
    ['bnd', 'bind'],
    ['Protocol', 'protocol'],
    ['timeout', 'timeouts'],
    ['max-connections', 'max_connections'],
    ['maxconnections', 'max_connections'],
  ])('to %j is %s', (word, nearest) => {
    expect(nearestWord(word, keys)).toBe(nearest);
  });

  test.each(['tls', '', 'certificate', 'x'.repeat(10_000)])('to %j is none', (word) => {
    expect(nearestWord(word, keys)).toBeUndefined();
  });

  test('is the first of equally near ones', () => {
    expect(nearestWord('web3', ['web1', 'web2'])).toBe('web1');
  });
});
