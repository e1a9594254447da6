// The table of error codes: docs/errors.md is its mirror, and every code is a code.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { errorTable, SluiceError, systemErrorName } from '../../src/errors.js';

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

/** Code to what stands below its heading. */
const documented = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [code = '', ...rest] = part.split('\n');
      const body = rest.join('\n').split(/^## /m, 1)[0] ?? '';
      return [code, body.trim()] as const;
    }),
);

test('docs/errors.md lists every code, and no other', () => {
  expect([...documented.keys()].sort()).toEqual(Object.keys(errorTable).sort());
});

test('docs/errors.md says of each code what the table says', () => {
  for (const [code, { title, fix }] of Object.entries(errorTable)) {
    expect(documented.get(code), code).toBe(`${title}\n\n**To fix it:** ${fix}`);
  }
});

test('a code is upper case, and its explanation is two sentences', () => {
  for (const [code, { title, fix }] of Object.entries(errorTable)) {
    expect(code).toMatch(/^SLUICE(_[A-Z0-9]+){2,}$/);
    expect(title, code).toMatch(/^[^a-z].*\.$/);
    expect(fix, code).toMatch(/^[^a-z].*\.$/);
  }
});

describe('a SluiceError', () => {
  test('carries its code, its cause and its particulars', () => {
    const cause = new Error('below');
    const error = new SluiceError('SLUICE_CONFIG_FILE_MISSING', 'no file', {
      cause,
      context: { file: 'x' },
    });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'SluiceError',
      code: 'SLUICE_CONFIG_FILE_MISSING',
      message: 'no file',
      cause,
      context: { file: 'x' },
    });
  });

  test('has neither when none is given', () => {
    const error = new SluiceError('SLUICE_CONFIG_EMPTY', 'nothing');
    expect(error.context).toEqual({});
    expect('cause' in error).toBe(false);
  });
});

test("the system's name of an error is found on whatever was caught", () => {
  expect(systemErrorName(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
  for (const other of [null, undefined, 'ENOENT', 5, {}, { code: 5 }]) {
    expect(systemErrorName(other)).toBe('');
  }
});
