// What holds for every import, of whole files and of broken ones: the result loads, every
// statement has a fate, every finding has a place, and nothing takes long. The seed of a failure
// is printed by fast-check.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.js';
import type { Directive, Place } from '../../../src/import/directive.js';
import { readSections } from '../../../src/import/haproxy-sections.js';
import type { ImportKind, ImportResult } from '../../../src/import/import-file.js';
import { readBlocks } from '../../../src/import/nginx-blocks.js';
import { importFixtures, importText } from '../../support/import-fixtures.js';

const kinds = ['haproxy', 'nginx'] as const;

function directivesOf(text: string, kind: ImportKind): readonly Directive[] {
  if (kind === 'haproxy') return readSections(text, () => undefined).directives;
  const flat = (list: readonly Directive[]): readonly Directive[] =>
    list.flatMap((one) => [one, ...flat(one.block ?? [])]);
  return flat(readBlocks(text).directives);
}

function expectWhole(text: string, kind: ImportKind): ImportResult {
  const start = performance.now();
  const result = importText(text, kind);
  expect(performance.now() - start).toBeLessThan(1000);
  if (result.yaml !== null) {
    const loaded = loadConfig(Buffer.from(result.yaml), 'imported');
    expect(loaded.ok ? [] : loaded.errors).toEqual([]);
  }
  const lines = text.split('\n');
  const isInside = ({ line, column }: Place): boolean => {
    const text = lines[line - 1];
    return text !== undefined && column >= 1 && column <= text.length + 1;
  };
  // One expectation for all: thousands of them would take longer than the imports.
  const faulty = result.findings.filter((finding) => {
    const { subject, why, fate, instead } = finding;
    const said = subject !== '' && why !== '' && (instead === '') === (fate !== 'lost');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose.
    return !said || !isInside(finding) || /[\x00-\x1f\x7f]/.test(subject + why + instead);
  });
  expect(faulty).toEqual([]);
  const places = new Set(result.findings.map(({ line, column }) => `${line}:${column}`));
  const silent = directivesOf(text, kind).filter(({ words: [{ line, column }] }) => {
    return !places.has(`${line}:${column}`);
  });
  expect(silent).toEqual([]);
  return result;
}

describe('a file that is whole', () => {
  for (const { kind, name, text } of kinds.flatMap(importFixtures)) {
    it(`${kind}/${name}: the result loads, and every statement has a fate`, () => {
      expectWhole(text, kind);
    });
  }
});

const tokens = [
  ...['{', '}', ';', '"', "'", '\\', '#', '$', '${', '$x', '\n', '\r\n', '\t', '\0', '\x1b[2J'],
  ...[' server ', ' bind ', 'listen', ' upstream ', ' proxy_pass ', ' timeout ', ' check ', ' no '],
  ...['defaults from ', 'backend ', 'stream {', '[::]:1', ':::1', '*:0', 'unix:', '99999999999'],
  ...['__proto__', 'constructor', 'hasOwnProperty', ' weight=', ' inter ', '-1', '0', ' if ', '😀'],
  ...[
    ' stick-table type ip size 1m',
    ' map $a $b {',
    ' $' + '{A-b}',
    ' option httpchk ',
    ' \\\n',
    '\u2028',
  ],
];

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 0, max: 60 }),
  kind: fc.constantFrom('cut', 'double', 'insert', 'swap'),
  token: fc.constantFrom(...tokens),
});
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(text: string, change: Mutation): string {
  const at = Math.floor(change.at * text.length);
  const part = text.slice(at, at + change.length);
  if (change.kind === 'cut') return text.slice(0, at) + text.slice(at + change.length);
  if (change.kind === 'double') return text.slice(0, at) + part + text.slice(at);
  if (change.kind === 'insert') return text.slice(0, at) + change.token + text.slice(at);
  const lines = text.split('\n');
  const index = Math.floor(change.at * (lines.length - 1));
  const [a = '', b = ''] = lines.slice(index, index + 2);
  lines.splice(index, 2, b, a);
  return lines.join('\n');
}

describe('a file that is broken', () => {
  for (const kind of kinds) {
    const texts = importFixtures(kind).map(({ text }) => text);

    it(`of ${kind}: whatever stands in it, the answer is whole`, () => {
      const broken = fc.tuple(
        fc.constantFrom(...texts),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
      );
      fc.assert(
        fc.property(broken, ([text, changes]) => {
          expectWhole(changes.reduce(mutate, text), kind);
        }),
        { numRuns: 150 },
      );
    });

    it(`of ${kind}: any text at all`, () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
          expectWhole(text, kind);
        }),
        { numRuns: 200 },
      );
    });

    it(`of ${kind}: one of the other program`, () => {
      const other = kind === 'haproxy' ? 'nginx' : 'haproxy';
      for (const { text } of importFixtures(other)) expectWhole(text, kind);
    });
  }
});
