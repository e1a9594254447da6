// The rules of the house as tests: each holds over the whole repository, save for the exceptions
// with a reason, and each can fail.
import { describe, expect, test } from 'vitest';
import { coverageRules } from './tidy/coverage-rules.js';
import { exceptions } from './tidy/exceptions.js';
import { importRules } from './tidy/import-rules.js';
import { type Rule, readRepository, type Violation } from './tidy/rule.js';
import { sizeRules } from './tidy/size-rules.js';
import { textRules } from './tidy/text-rules.js';

const rules: readonly Rule[] = [...importRules, ...sizeRules, ...textRules, ...coverageRules];
const repository = readRepository();
const violations = new Map(rules.map((rule) => [rule.name, rule.check(repository)]));

function excuses(path: string, violation: Violation, what = ''): boolean {
  const covers = path.endsWith('/') ? violation.path.startsWith(path) : violation.path === path;
  return covers && violation.what.includes(what);
}

describe('the rules of the house', () => {
  for (const { name } of rules) {
    test(name, () => {
      const excused = exceptions.filter(({ rule }) => rule === name);
      const left = (violations.get(name) ?? [])
        .filter((violation) => !excused.some(({ path, what }) => excuses(path, violation, what)))
        .map(({ path, line, what }) => `${path}:${line} ${what}`);
      expect(left).toEqual([]);
    });
  }
});

describe('each rule can fail', () => {
  for (const { name, check, bad } of rules) {
    test(name, () => {
      expect(bad.length).toBeGreaterThan(0);
      for (const files of bad) expect(check(files), JSON.stringify(files)).not.toEqual([]);
    });
  }
});

describe('exceptions', () => {
  for (const { rule, path, what, reason } of exceptions) {
    test(`${path} from "${rule}" is needed and has a reason`, () => {
      expect(reason.length).toBeGreaterThan(10);
      const found = (violations.get(rule) ?? []).filter((one) => excuses(path, one, what));
      expect(found).not.toEqual([]);
    });
  }
});
