// The Redis protocol (RESP 2, redis.io/docs/latest/develop/reference/protocol-spec), as far as a
// probe speaks it: commands to bytes, bytes to replies. Pure; a target may send anything.
import type { ParsedMessage } from './parsed-message.js';

export type RedisReply =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly RedisReply[] }
  | { readonly kind: 'nothing' };

/** A command is a list of texts, each with its length: no argument can become another command. */
export function redisCommand(...words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`);
}

/** ROLE nests two deep: a list of replicas, each a list. */
const depthMax = 4;
/** ROLE of a primary names each replica; there are never nearly so many. */
const itemsMax = 4096;
/** Lines are numbers, lengths, and what a reply says in words. */
const lineBytesMax = 4096;
/** A probe reads no value that is larger. */
const textBytesMax = 65_536;

const malformed = (what: string) => ({ malformed: what });

/** The reply at the beginning of `received`. */
export function parseRedisReply(received: Buffer): ParsedMessage<RedisReply> {
  return replyAt(received, 0, 0);
}

/** `bytes` of the result are counted from the beginning of `received`, not from `start`. */
function replyAt(received: Buffer, start: number, depth: number): ParsedMessage<RedisReply> {
  const kind = received[start];
  if (kind === undefined) return null;
  if (!'+-:$*'.includes(String.fromCharCode(kind))) return malformed('not a Redis reply');
  const line = lineAt(received, start + 1);
  if (line === null || 'malformed' in line) return line;
  const { message: text, bytes } = line;
  switch (String.fromCharCode(kind)) {
    case '+':
      return { message: { kind: 'text', text }, bytes };
    case '-':
      return { message: { kind: 'error', text }, bytes };
    case ':':
      if (!/^[+-]?\d{1,20}$/.test(text)) return malformed('not a number');
      return { message: { kind: 'number', text }, bytes };
    case '$':
      return bulkAt(received, bytes, text);
    default:
      return listAt(received, bytes, text, depth);
  }
}

function lineAt(received: Buffer, start: number): ParsedMessage<string> {
  const window = received.subarray(start, start + lineBytesMax);
  const end = window.indexOf(0x0a);
  if (end < 0) return window.length < lineBytesMax ? null : malformed('a line without an end');
  if (end === 0 || window[end - 1] !== 0x0d) return malformed('a line that ends without CR');
  return { message: window.toString('utf8', 0, end - 1), bytes: start + end + 1 };
}

/** Lengths are decimal, -1 stands for nothing. */
function lengthOf(text: string, max: number): number | null {
  if (text === '-1') return -1;
  const length = /^\d{1,9}$/.test(text) ? Number(text) : max + 1;
  return length <= max ? length : null;
}

function bulkAt(received: Buffer, start: number, lengthText: string): ParsedMessage<RedisReply> {
  const length = lengthOf(lengthText, textBytesMax);
  if (length === null) return malformed('a text of an impossible length');
  if (length === -1) return { message: { kind: 'nothing' }, bytes: start };
  const end = start + length;
  if (received.length < end + 2) return null;
  if (received[end] !== 0x0d || received[end + 1] !== 0x0a) {
    return malformed('a text that is longer than it says');
  }
  return { message: { kind: 'text', text: received.toString('utf8', start, end) }, bytes: end + 2 };
}

function listAt(
  received: Buffer,
  start: number,
  lengthText: string,
  depth: number,
): ParsedMessage<RedisReply> {
  const length = lengthOf(lengthText, itemsMax);
  if (length === null) return malformed('a list of an impossible length');
  if (length === -1) return { message: { kind: 'nothing' }, bytes: start };
  if (depth === depthMax) return malformed('lists too deep in each other');
  const items: RedisReply[] = [];
  let next = start;
  while (items.length < length) {
    const item = replyAt(received, next, depth + 1);
    if (item === null || 'malformed' in item) return item;
    items.push(item.message);
    next = item.bytes;
  }
  return { message: { kind: 'list', items }, bytes: next };
}
