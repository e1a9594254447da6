// The PostgreSQL protocol, version 3 (postgresql.org/docs/current/protocol.html), as far as a probe
// speaks it: messages to bytes, bytes to messages. Pure; a target may send anything.
import type { ParsedMessage } from './parsed-message.js';

export interface PostgresqlError {
  /** Such as FATAL. Not translated, unlike the text (PostgreSQL 9.6 and later). */
  readonly severity: string;
  /** SQLSTATE, such as 57P03. */
  readonly code: string;
  readonly text: string;
}

export type PostgresqlMessage =
  /** `code` 0: logged in; otherwise how to prove who one is. `data` is what that way needs. */
  | { readonly kind: 'authentication'; readonly code: number; readonly data: Buffer }
  | { readonly kind: 'error'; readonly error: PostgresqlError }
  | { readonly kind: 'ready' }
  /** One row; a column is null where SQL says NULL. */
  | { readonly kind: 'row'; readonly columns: readonly (string | null)[] }
  /** Parameters, notices, descriptions: nothing that a probe looks at. */
  | { readonly kind: 'other'; readonly type: string };

/** Codes of an authentication request. */
export const postgresqlAuthentication = {
  ok: 0,
  cleartext: 3,
  md5: 5,
  sasl: 10,
  saslContinue: 11,
  saslFinal: 12,
} as const;

const protocolVersion = 3 << 16;

/** `fields` are user, database, and settings of the session. */
export function postgresqlStartup(fields: Readonly<Record<string, string>>): Buffer {
  const texts = Object.entries(fields).flat();
  const body = Buffer.concat([...texts.map(cString), Buffer.of(0)]);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length, 0);
  head.writeUInt32BE(protocolVersion, 4);
  return Buffer.concat([head, body]);
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

/** Texts of the protocol end in a NUL; one within would cut the rest off. */
function cString(text: string): Buffer {
  return Buffer.from(`${text.replaceAll('\0', '')}\0`);
}

export const postgresqlPassword = (password: string): Buffer => message('p', cString(password));
export const postgresqlQuery = (sql: string): Buffer => message('Q', cString(sql));
export const postgresqlTerminate = (): Buffer => message('X', Buffer.alloc(0));

export function postgresqlSaslInitial(mechanism: string, data: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(data));
  return message('p', Buffer.concat([cString(mechanism), length, Buffer.from(data)]));
}

export const postgresqlSaslResponse = (data: string): Buffer => message('p', Buffer.from(data));

/** Messages that a probe meets are short; what a target sends beyond is no answer to it. */
const messageBytesMax = 65_536;
const columnsMax = 64;
/** Of version 3: what follows must have the form of a message. */
const typesKnown = 'RESKZTDCINAv';

const malformed = (what: string) => ({ malformed: what });

/** The message at the beginning of `received`. */
export function parsePostgresqlMessage(received: Buffer): ParsedMessage<PostgresqlMessage> {
  const first = received[0];
  if (first === undefined) return null;
  const type = String.fromCharCode(first);
  if (!typesKnown.includes(type)) return malformed('not a PostgreSQL message');
  if (received.length < 5) return null;
  const length = received.readUInt32BE(1);
  if (length < 4 || length > messageBytesMax) return malformed('a message of impossible length');
  if (received.length < 1 + length) return null;
  const body = received.subarray(5, 1 + length);
  const read = readBody(type, body);
  return read === null
    ? malformed(`a message ${type} that cannot be read`)
    : { message: read, bytes: 1 + length };
}

function readBody(type: string, body: Buffer): PostgresqlMessage | null {
  switch (type) {
    case 'R':
      if (body.length < 4) return null;
      return { kind: 'authentication', code: body.readUInt32BE(0), data: body.subarray(4) };
    case 'E':
      return readError(body);
    case 'Z':
      return { kind: 'ready' };
    case 'D':
      return readRow(body);
    default:
      return { kind: 'other', type };
  }
}

/** Fields, each a letter and a text, and a NUL behind the last. */
function readError(body: Buffer): PostgresqlMessage | null {
  const fields = new Map<string, string>();
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at);
    if (end < 0) return null;
    fields.set(String.fromCharCode(body[at] ?? 0), body.toString('utf8', at + 1, end));
    at = end + 1;
  }
  const error = {
    severity: fields.get('V') ?? fields.get('S') ?? '',
    code: fields.get('C') ?? '',
    text: fields.get('M') ?? '',
  };
  return at < body.length ? { kind: 'error', error } : null;
}

function readRow(body: Buffer): PostgresqlMessage | null {
  if (body.length < 2) return null;
  const count = body.readUInt16BE(0);
  if (count > columnsMax) return null;
  const columns: (string | null)[] = [];
  let at = 2;
  while (columns.length < count) {
    if (body.length < at + 4) return null;
    const length = body.readInt32BE(at);
    at += 4;
    if (length === -1) {
      columns.push(null);
      continue;
    }
    if (length < 0 || body.length < at + length) return null;
    columns.push(body.toString('utf8', at, at + length));
    at += length;
  }
  return { kind: 'row', columns };
}
