// Broken files of every kind: never an exception, never long, every problem with a place in the
// file. The seed of a failure is printed by fast-check.
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { load } from '../../support/bad-file.js';

const examples = new URL('../../../examples/', import.meta.url);
const seeds = readdirSync(examples)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(new URL(name, examples), 'utf8'));

function checkAnswer(bytes: Uint8Array): void {
  const start = performance.now();
  const result = load(bytes);
  expect(performance.now() - start).toBeLessThan(1000);
  const lines = new TextDecoder().decode(bytes).split('\n');
  for (const problem of [...(result.ok ? [] : result.errors), ...result.warnings]) {
    expect(problem.line).toBeGreaterThanOrEqual(1);
    expect(problem.line).toBeLessThanOrEqual(lines.length);
    const line = lines[problem.line - 1] ?? '';
    expect(problem.column).toBeGreaterThanOrEqual(1);
    expect(problem.column).toBeLessThanOrEqual(line.length + 1);
    expect(problem.sourceLine).toBe(line.replace(/\r$/, ''));
    expect(problem.message).not.toBe('');
  }
  expect(result.ok || result.errors.length > 0).toBe(true);
}

const tokens = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '-',
    '#',
    '&a',
    '*a',
    '!!str',
    '|',
    '>',
    '"',
    "'",
    '? ',
    '<<: ',
  ],
  ...['\n', '\t', '  ', '\0', '\r', '\u2028', '%YAML 1.1\n', '---\n', '...\n', 'null', '~', '.inf'],
  ...[
    '99999999999999999999',
    '-1',
    '0x10',
    '1e400',
    '__proto__: 1',
    'constructor',
    'on',
    '[::1]:5',
  ],
  ...['bind: ', 'pool: ', 'targets: ', 'unix:/', '*:80', '1s', '5', 'off', '{}', '[]', '😀'],
];

/** One change of a text: cut, double, insert a token, or swap two lines. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.integer({ min: 0, max: 40 }),
  kind: fc.constantFrom('cut', 'double', 'insert', 'swap'),
  token: fc.constantFrom(...tokens),
});

function mutate(text: string, change: typeof mutation extends fc.Arbitrary<infer T> ? T : never) {
  const at = Math.floor(change.at * text.length);
  const part = text.slice(at, at + change.length);
  if (change.kind === 'cut') return text.slice(0, at) + text.slice(at + change.length);
  if (change.kind === 'double') return text.slice(0, at) + part + text.slice(at);
  if (change.kind === 'insert') return text.slice(0, at) + change.token + text.slice(at);
  const lines = text.split('\n');
  const index = Math.floor(change.at * (lines.length - 1));
  const [a = '', b = ''] = lines.slice(index, index + 2);
  return [...lines.slice(0, index), b, a, ...lines.slice(index + 2)].join('\n');
}

describe('a broken file gets a positioned answer within a second', () => {
  test('when a good file has been edited badly', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        (seed, changes) => checkAnswer(Buffer.from(changes.reduce(mutate, seed))),
      ),
      { numRuns: 400 },
    );
  }, 60_000);

  test('when its bytes have been damaged', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
        (seed, damages) => {
          const bytes = Buffer.from(seed);
          for (const [at, byte] of damages) bytes[at % bytes.length] = byte;
          checkAnswer(bytes);
        },
      ),
      { numRuns: 200 },
    );
  }, 60_000);

  test('when it is made of pieces of YAML', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...tokens), { maxLength: 60 }), (parts) =>
        checkAnswer(Buffer.from(parts.join(''))),
      ),
      { numRuns: 400 },
    );
  }, 60_000);

  test('when any data of any shape stands at any key', () => {
    const keys = ['listeners', 'pools', 'web', 'bind', 'pool', 'targets', 'health', 'timeouts'];
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 0, -1, 1.5, '', 'off', '5s', '127.0.0.1:80', 'web', 'tcp'),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie('any'), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      // JSON is YAML.
      fc.property(value, (data) => checkAnswer(Buffer.from(JSON.stringify(data, null, 1)))),
      { numRuns: 400 },
    );
  }, 60_000);
});
