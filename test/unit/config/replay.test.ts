// Listeners whose connections may be sent again: what the keys become, and what contradicts itself.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { load, testBadFiles } from '../../support/bad-file.js';

const file = (keys: string, rest = '', pool = ''): string => `${rest}listeners:
  web: { bind: "127.0.0.1:80", pool: web, ${keys} }
pools:
  web: { ${pool}targets: ["10.0.0.1:80"] }
`;

function bytesOf(text: string): number | undefined {
  const result = load(text);
  return result.ok && result.warnings.length === 0
    ? result.config.listeners[0]?.replayBytes
    : undefined;
}

describe('a file is refused for', () => {
  testBadFiles('errors', [
    {
      name: 'datagrams that are to be sent again',
      text: file('protocol: udp, replay_safe: true'),
      problems: [['2:58', 'SLUICE_CONFIG_PROTOCOL_OPTION', 'replay_safe is for tcp listeners']],
    },
    {
      name: 'a pool that tries nothing again',
      text: file('replay_safe: true', '', 'retries: 0, '),
      problems: [['2:56', 'SLUICE_CONFIG_CONFLICT', 'pools.web.retries is 0: nothing would be']],
    },
    {
      name: 'a buffer beyond all, and one of nothing',
      text: `listeners:
  a: { bind: "127.0.0.1:80", pool: web, replay_safe: true, replay_buffer: 65KiB }
  b: { bind: "127.0.0.1:81", pool: web, replay_safe: true, replay_buffer: 0B }
pools:
  web: { targets: ["10.0.0.1:80"] }
`,
      problems: [
        ['2:75', 'SLUICE_CONFIG_RANGE', '65KiB is outside 1KiB to 64KiB'],
        ['3:75', 'SLUICE_CONFIG_RANGE', '0B is outside 1KiB to 64KiB'],
      ],
    },
    {
      name: 'a buffer of half a KiB more',
      text: file('replay_safe: true, replay_buffer: 1536B'),
      problems: [['2:77', 'SLUICE_CONFIG_RANGE', '1536B is not a whole number of KiB']],
    },
    {
      name: 'a buffer larger than the buffers that there are',
      text: file('replay_safe: true, replay_buffer: 32KiB', 'engine: { buffer: 16KiB }\n'),
      problems: [
        ['3:77', 'SLUICE_CONFIG_CONFLICT', 'replay_buffer, 32KiB, is larger than engine.buffer'],
      ],
    },
    {
      name: 'a default buffer larger than the buffers that there are',
      text: file('replay_safe: true', 'engine: { buffer: 8KiB }\n'),
      problems: [
        ['3:56', 'SLUICE_CONFIG_CONFLICT', 'replay_buffer, 16KiB, is larger than engine.buffer'],
      ],
    },
  ]);
});

describe('a file with a warning', () => {
  testBadFiles('warnings', [
    {
      name: 'a buffer for nothing',
      text: file('replay_buffer: 16KiB'),
      problems: [['2:43', 'SLUICE_CONFIG_NO_EFFECT', 'nothing is kept unless replay_safe is true']],
    },
  ]);
});

describe('what is kept to be sent again', () => {
  test('is nothing, unless the listener is marked, and then 16 KiB', () => {
    expect(bytesOf(file('access_log: false'))).toBe(0);
    expect(bytesOf(file('replay_safe: false'))).toBe(0);
    expect(bytesOf(file('replay_safe: true'))).toBe(16_384);
  });

  test('is as much as the file says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), (kib) => {
        const bytes = bytesOf(file(`replay_safe: true, replay_buffer: ${kib}KiB`));
        expect(bytes).toBe(kib * 1024);
      }),
    );
  });
});
