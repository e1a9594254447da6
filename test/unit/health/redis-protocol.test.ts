// The Redis protocol: commands, and replies that arrive in any pieces or are none at all.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseRedisReply,
  type RedisReply,
  redisCommand,
} from '../../../src/health/redis-protocol.js';
import { expectSteadyParser, messagesOf } from '../../support/message-stream.js';

function encode(reply: RedisReply): string {
  switch (reply.kind) {
    case 'text':
      return `$${Buffer.byteLength(reply.text)}\r\n${reply.text}\r\n`;
    case 'error':
      return `-${reply.text}\r\n`;
    case 'number':
      return `:${reply.text}\r\n`;
    case 'nothing':
      return '$-1\r\n';
    case 'list':
      return `*${reply.items.length}\r\n${reply.items.map(encode).join('')}`;
  }
}

const oneLine = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n]/g, ''));
const simple: fc.Arbitrary<RedisReply> = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((text): RedisReply => ({ kind: 'text', text })),
  oneLine.map((text): RedisReply => ({ kind: 'error', text })),
  fc.integer().map((value): RedisReply => ({ kind: 'number', text: String(value) })),
  fc.constant<RedisReply>({ kind: 'nothing' }),
);
const list = (item: fc.Arbitrary<RedisReply>): fc.Arbitrary<RedisReply> =>
  fc.array(item, { maxLength: 5 }).map((items): RedisReply => ({ kind: 'list', items }));
const reply = fc.oneof(simple, list(simple), list(list(simple)));
const stream = fc.array(reply, { maxLength: 6 });
const bytesOf = (replies: readonly RedisReply[]) => Buffer.from(replies.map(encode).join(''));

describe('replies of Redis', () => {
  it('are read as they were sent, one after the other', () => {
    fc.assert(
      fc.property(stream, (replies) => {
        expect(messagesOf(bytesOf(replies), parseRedisReply)).toEqual(replies);
      }),
    );
  });

  it('are waited for until they are whole, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(reply, fc.nat(), (one, at) => {
        const bytes = Buffer.from(encode(one));
        expect(parseRedisReply(bytes.subarray(0, at % bytes.length))).toBeNull();
      }),
    );
  });

  it('never throw, and what was said of a beginning holds for the whole', () => {
    expectSteadyParser(parseRedisReply, stream.map(bytesOf));
  });

  it.each([
    ['no type', 'HTTP/1.1 400 Bad Request\r\n', 'not a Redis reply'],
    ['a line without CR', '+PONG\n', 'ends without CR'],
    ['a line without an end', `+${'x'.repeat(4096)}`, 'without an end'],
    ['a number that is none', ':one\r\n', 'not a number'],
    ['a text of an impossible length', '$65537\r\n', 'impossible length'],
    ['a text of a negative length', '$-2\r\n', 'impossible length'],
    ['a text that goes on', '$2\r\nabcd\r\n', 'longer than it says'],
    ['a list of an impossible length', '*4097\r\n', 'impossible length'],
    ['lists in lists in lists', '*1\r\n'.repeat(6), 'too deep'],
  ])('refuse %s at once', (_name, text, why) => {
    expect(parseRedisReply(Buffer.from(text))).toEqual({
      malformed: expect.stringContaining(why),
    });
  });
});

describe('a command to Redis', () => {
  it('is a list of exactly its words, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1 }), (words) => {
        const sent = messagesOf(redisCommand(...words), parseRedisReply);
        expect(sent).toEqual([
          { kind: 'list', items: words.map((text) => ({ kind: 'text', text })) },
        ]);
      }),
    );
    expect(redisCommand('AUTH', 'a\r\nFLUSHALL').toString()).toBe(
      '*2\r\n$4\r\nAUTH\r\n$11\r\na\r\nFLUSHALL\r\n',
    );
  });
});
