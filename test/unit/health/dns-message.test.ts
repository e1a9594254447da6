// DNS messages: what is asked, and that no bytes of an answer do harm.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeQuery, readAnswer } from '../../../src/health/dns-message.js';
import { judgeDns } from '../../../src/health/dns-probe.js';
import type { DnsSettings } from '../../../src/model/health-check.js';

const question: DnsSettings = {
  name: 'Db.Example',
  recordType: 'A',
  codes: ['NOERROR'],
  answers: 1,
};
const query = encodeQuery(0xabcd, question);

/** A record of type A whose name points to the question. */
const record = Buffer.from('c00c00010001000000050004c0000207', 'hex');

function answerOf(flags: number, records: readonly Buffer[], count = records.length): Buffer {
  const message = Buffer.concat([query, ...records]);
  message.writeUInt16BE(flags, 2);
  message.writeUInt16BE(count, 6);
  return message;
}

describe('a query', () => {
  it('is what RFC 1035 says', () => {
    const name = '024462074578616d706c6500';
    expect(query.toString('hex')).toBe(`abcd01000001000000000000${name}00010001`);
    const root = encodeQuery(1, { ...question, name: '.', recordType: 'NS' });
    expect(root.toString('hex')).toBe('0001010000010000000000000000020001');
  });
});

describe('an answer', () => {
  it('has its code and its records counted', () => {
    expect(readAnswer(answerOf(0x8180, [record, record]), query)).toEqual({
      kind: 'answer',
      code: 'NOERROR',
      answers: 2,
      truncated: false,
    });
    expect(readAnswer(answerOf(0x8183, []), query)).toMatchObject({ code: 'NXDOMAIN' });
    expect(readAnswer(answerOf(0x818b, []), query)).toMatchObject({ code: 'RCODE11' });
  });

  it('may repeat the question in other letters', () => {
    const message = answerOf(0x8180, [record]);
    message.write('dB', 13, 'latin1');
    expect(readAnswer(message, query).kind).toBe('answer');
  });

  it('is unrelated with another number or as a question', () => {
    expect(readAnswer(query, query).kind).toBe('unrelated');
    const other = answerOf(0x8180, [record]);
    other.writeUInt16BE(0xabce, 0);
    expect(readAnswer(other, query).kind).toBe('unrelated');
  });

  it('is malformed when a record or the question is cut off, anywhere', () => {
    const whole = answerOf(0x8180, [record, record]);
    for (let length = 12; length < whole.length; length++) {
      expect(readAnswer(whole.subarray(0, length), query).kind, `${length}`).toBe('malformed');
    }
  });

  it('may be truncated to its question, and then its records are only counted', () => {
    expect(readAnswer(answerOf(0x8380, [], 9), query)).toMatchObject({ answers: 9 });
  });

  it('may leave the question out when there is nothing else', () => {
    const refused = Buffer.from('abcd81850000000000000000', 'hex');
    expect(readAnswer(refused, query)).toMatchObject({ kind: 'answer', code: 'REFUSED' });
  });

  it('does no harm, whatever its bytes are', () => {
    const bytes = fc.uint8Array({ maxLength: 600 });
    fc.assert(
      fc.property(bytes, fc.boolean(), (tail, related) => {
        const head = related ? answerOf(0x8180, [], tail.length % 7) : Buffer.alloc(0);
        const message = Buffer.concat([head, tail]);
        const ending = judgeDns(message, query, question);
        if (ending?.ok) expect(readAnswer(message, query)).toMatchObject({ code: 'NOERROR' });
      }),
      { numRuns: 3000 },
    );
  });
});
