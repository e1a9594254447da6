// Messages of RFC 5424: what every receiver can take apart again.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageBytesMax, syslogMessage } from '../../../src/log/syslog-message.js';

const at = new Date('2026-01-02T03:04:05.678Z');
const sender = { hostname: 'lb1', processId: 42 };

describe('syslogMessage', () => {
  it('has priority, time, host, program, process and event before the line', () => {
    const text = syslogMessage('{"a":1}\n', { level: 'warn', event: 'split_brain' }, sender, at);
    expect(text.toString()).toBe(
      '<132>1 2026-01-02T03:04:05.678Z lb1 sluice 42 split_brain - {"a":1}',
    );
  });

  it.each([
    ['debug', 135],
    ['info', 134],
    ['error', 131],
  ] as const)('gives %s its severity in local0', (level, priority) => {
    expect(syslogMessage('', { level, event: 'e' }, sender, at).toString()).toContain(
      `<${priority}>1 `,
    );
  });

  it('is bounded, whole to the last character, and has a header that can be taken apart', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 9000, size: 'max' }),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (line, hostname) => {
          const facts = { level: 'info', event: 'connection_closed' } as const;
          const bytes = syslogMessage(line, facts, { ...sender, hostname }, at);
          expect(bytes.length).toBeLessThanOrEqual(messageBytesMax);
          const text = bytes.toString();
          const parts = /^<134>1 \S+ ([!-~]{1,255}) sluice 42 connection_closed - /.exec(text);
          expect(parts).not.toBeNull();
          const rest = text.slice(parts?.[0].length);
          const whole = Buffer.from(line.replace(/\n$/, '')).toString();
          expect(whole.startsWith(rest)).toBe(true);
          if (bytes.length < messageBytesMax - 3) expect(rest).toBe(whole);
        },
      ),
    );
  });
});
