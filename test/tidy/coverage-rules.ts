// What must be met by at least one test: error codes, counters, keys of the configuration.
import { annotatedJsonSchema, type JsonSchema } from '../../src/config/json-schema.js';
import { isTest, isTidy, type Rule, type SourceFile, sample, type Violation } from './rule.js';

/** Names in no test's text, as whole words. */
function unmet(names: readonly string[], files: readonly SourceFile[], where: string): Violation[] {
  const tests = files
    .filter((file) => isTest(file) && !isTidy(file))
    .map(({ text }) => text)
    .join('\n');
  const words = new Set(tests.match(/\w+/g));
  return names
    .filter((name) => !words.has(name))
    .map((name) => ({ path: where, line: 0, what: `${name} is in no test` }));
}

function textOf(files: readonly SourceFile[], path: string): string {
  return files.find((file) => file.path === path)?.text ?? '';
}

const errorCodes: Rule = {
  name: 'every error code is met by a test',
  check: (files) => {
    const table = textOf(files, 'src/errors.ts');
    const codes = [...table.matchAll(/^ {2}(SLUICE_\w+):/gm)].map(([, code = '']) => code);
    return unmet(codes, files, 'src/errors.ts');
  },
  bad: [[sample('src/errors.ts', 'const errorTable = {\n  SLUICE_NEVER_MET: {\n'), testOf('x')]],
};

const counters: Rule = {
  name: 'every counter is met by a test',
  check: (files) => {
    const header = textOf(files, 'native/shared/counters.h');
    const lists = header.match(/#define SLUICE_\w+_COUNTERS\(X\)(.*\\\n)*.*/g) ?? [];
    const names = lists.flatMap((list) =>
      [...list.matchAll(/X\((\w+), \w+,/g)].map(([, name = '']) => name),
    );
    return unmet([...new Set(names)], files, 'native/shared/counters.h');
  },
  bad: [
    [
      sample(
        'native/shared/counters.h',
        '#define SLUICE_WORKER_COUNTERS(X) \\\n  X(loops, turns, "a") \\\n  X(met, turns, "b")\n',
      ),
      testOf('met'),
    ],
  ],
};

function keysOf(schema: JsonSchema): string[] {
  const { properties = {}, additionalProperties, items, anyOf = [] } = schema;
  const inner = [
    ...Object.values(properties),
    ...anyOf,
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...(items === undefined ? [] : [items]),
  ];
  return [...Object.keys(properties), ...inner.flatMap(keysOf)];
}

/** The schema is code, so a sample cannot replace it: what a sample lacks is a test. */
const configKeys: Rule = {
  name: 'every key of the configuration is met by a test',
  check: (files) =>
    unmet([...new Set(keysOf(annotatedJsonSchema()))], files, 'src/config/schema.ts'),
  bad: [[testOf('listeners')]],
};

function testOf(word: string): SourceFile {
  return sample('test/unit/a.test.ts', `it('${word}', () => {});\n`);
}

export const coverageRules: readonly Rule[] = [errorCodes, counters, configKeys];
