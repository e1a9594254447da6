// The one list of policies: what is made from it is fresh, and a wrong line is told.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  generatedPolicies,
  headerOf,
  readPolicies,
  traitsOf,
} from '../../../scripts/generate-policies.mjs';
import { policyNames } from '../../../src/model/policy.js';

const root = new URL('../../../', import.meta.url);

describe('the list of policies', () => {
  for (const [path, text] of generatedPolicies()) {
    test(`is what ${path} was made from`, () => {
      const committed = readFileSync(new URL(path, root), 'utf8');
      expect(committed === text, 'stale: node scripts/generate-policies.mjs').toBe(true);
    });
  }

  test('gives names their order', () => {
    const text = readFileSync(new URL('native/policy/policies.txt', root), 'utf8');
    expect(readPolicies(text).map(({ name }) => name)).toEqual(policyNames);
  });

  test('makes a line for each language', () => {
    const policies = readPolicies('# words\n\nmost_recent  21  yes  source  bounded\n');
    expect(headerOf(policies)).toContain('#include "policy/most_recent.h"\n');
    expect(headerOf(policies)).toContain('X(most_recent, 21, MostRecent)\n');
    expect(headerOf(policies)).toContain('X(MostRecent, true)\n');
    expect(traitsOf(policies)).toContain(
      "  most_recent: { weights: true, key: 'source', load: 'bounded' },\n",
    );
  });
});

describe('a line of the list is refused', () => {
  for (const [what, lines, fault] of [
    ['with a column too few', 'last 13 no none', 'a line has five columns'],
    ['with a column too many', 'last 13 no none never more', 'a line has five columns'],
    ['with a name that is no file name', 'Last 13 no none never', 'a name is in snake_case'],
    ['with a number that says nothing', 'last 0 no none never', 'the number is 1 or more'],
    ['with an unknown word', 'last 13 no none sometimes', 'load is one of always, bounded, never'],
    ['with a name that is taken', 'a 1 no none never\na 2 no none never', 'twice in the list: a'],
    ['with a number that is taken', 'a 1 no none never\nb 1 no none never', 'twice in the list: 1'],
  ] as const) {
    test(what, () => {
      expect(() => readPolicies(lines)).toThrow(fault);
    });
  }
});
