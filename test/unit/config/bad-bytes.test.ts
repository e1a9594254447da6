// Files whose bytes are the trouble: their encoding, their size, and how much is in them.
import { describe, expect, test } from 'vitest';
import { load, testBadFiles, withBind } from '../../support/bad-file.js';

const good = withBind('"127.0.0.1:80"');

function bytes(...parts: readonly (string | readonly number[])[]): Uint8Array {
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
}

/** The same as two lists: `count` listeners, each on its own address, and one pool. */
function manyListeners(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) => `  l${index}: { bind: "127.0.${index >> 8}.${index & 255}:80", pool: web }\n`,
  );
  return `listeners:\n${lines.join('')}pools:\n  web: { targets: ["10.0.0.1:80"] }\n`;
}

function manyTargets(count: number): string {
  const lines = Array.from(
    { length: count },
    (_, index) => `      - "10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:80"\n`,
  );
  return `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web:
    targets:
${lines.join('')}`;
}

describe('a file is refused for', () => {
  const encoding = 'SLUICE_CONFIG_ENCODING';
  testBadFiles('errors', [
    {
      name: 'a byte that begins no character',
      text: bytes('listeners:\n  w', [0xff], 'b: {}\n'),
      problems: [['2:4', encoding, 'byte 15 (0xff) is not UTF-8']],
    },
    {
      name: 'a lone continuation byte behind characters of every length',
      text: bytes('# aé€😀', [0x80], '\n'),
      problems: [['1:8', encoding, 'byte 13 (0x80) is not UTF-8']],
    },
    {
      name: 'an overlong form',
      text: bytes('a: ', [0xc0, 0xaf], '\n'),
      problems: [['1:4', encoding, '0xc0']],
    },
    {
      name: 'an overlong form of three bytes',
      text: bytes('a: ', [0xe0, 0x80, 0xaf], '\n'),
      problems: [['1:4', encoding, '0xe0']],
    },
    {
      name: 'a surrogate',
      text: bytes('a: ', [0xed, 0xa0, 0x80], '\n'),
      problems: [['1:4', encoding, '0xed']],
    },
    {
      name: 'a code point beyond Unicode',
      text: bytes('a: ', [0xf4, 0x90, 0x80, 0x80], '\n'),
      problems: [['1:4', encoding, '0xf4']],
    },
    {
      name: 'a character cut off at the end',
      text: bytes('a: b\nc: ', [0xe2, 0x82]),
      problems: [['2:4', encoding, 'byte 9 (0xe2) is not UTF-8']],
    },
    {
      name: 'UTF-16',
      text: bytes([0xff, 0xfe], Buffer.from('listeners:\n', 'utf16le').toJSON().data),
      problems: [['1:1', encoding, 'the file is UTF-16: save it as UTF-8']],
    },
    {
      name: 'more listeners than there are places',
      text: manyListeners(1025),
      problems: [
        ['1026:3', 'SLUICE_CONFIG_LIMIT', 'there are 1025 listeners, 1024 are possible'],
        ['1026:18', 'SLUICE_CONFIG_LIMIT', '1025 addresses to bind, 1024 are possible'],
      ],
    },
    {
      name: 'more targets than there are places',
      text: manyTargets(16_385),
      problems: [['16390:9', 'SLUICE_CONFIG_LIMIT', 'there are more than 16384 targets']],
    },
    {
      name: 'more parts than any configuration has',
      text: `a: [${'1,'.repeat(600_000)}]`,
      problems: [['1:666668', 'SLUICE_CONFIG_COMPLEXITY', 'more than 1000000 parts']],
    },
  ]);
});

test('a file of 50 MB is refused at once, without being parsed', () => {
  const file = new Uint8Array(50 * 1024 * 1024).fill(0x61);
  const start = performance.now();
  const result = load(file);
  expect(performance.now() - start).toBeLessThan(1000);
  expect(result).toMatchObject({
    ok: false,
    errors: [
      {
        code: 'SLUICE_CONFIG_FILE_TOO_LARGE',
        message: 'the file has 52428800 bytes, 4194304 (4 MiB) are possible',
      },
    ],
  });
});

test('a byte order mark is accepted, and does not move columns', () => {
  const mark = [0xef, 0xbb, 0xbf];
  expect(load(bytes(mark, good)).ok).toBe(true);
  const result = load(bytes(mark, 'lsteners: {}\n'));
  expect(result).toMatchObject({ ok: false });
  if (!result.ok) expect(result.errors.map(({ column }) => column)).toEqual([1, 1]);
});

test('line ends of other systems are accepted, and do not move lines', () => {
  expect(load(good.replaceAll('\n', '\r\n')).ok).toBe(true);
  const result = load('listeners:\r\n  web: { pool: x }\r\npools: {}\r\n');
  expect(result.ok ? [] : result.errors.map(({ line, column }) => `${line}:${column}`)).toEqual([
    '2:3',
    '2:16',
    '3:8',
  ]);
});

test('the largest configuration that fits loads', () => {
  expect(load(manyListeners(1024)).ok).toBe(true);
  const result = load(manyTargets(16_384));
  expect(result.ok && result.config.pools[0]?.targets.length).toBe(16_384);
});

test('a thousand problems are listed, and the rest counted', () => {
  const result = load(`${Array.from({ length: 1500 }, (_, index) => `k${index}: 1`).join('\n')}\n`);
  expect(result.ok).toBe(false);
  if (result.ok) return;
  // 1500 unknown keys; `listeners` and `pools` are missing.
  expect(result.errors).toHaveLength(1001);
  expect(result.errors.at(-1)).toMatchObject({
    code: 'SLUICE_CONFIG_MANY_PROBLEMS',
    message: '502 more problems follow',
  });
});
