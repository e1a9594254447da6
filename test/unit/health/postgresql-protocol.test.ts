// The PostgreSQL protocol and its logins: messages in any pieces, and the published examples.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  offersScram,
  postgresqlMd5,
  scramFinal,
  scramFirst,
} from '../../../src/health/postgresql-login.js';
import {
  type PostgresqlMessage,
  parsePostgresqlMessage,
  postgresqlPassword,
  postgresqlQuery,
  postgresqlSaslInitial,
  postgresqlStartup,
  postgresqlTerminate,
} from '../../../src/health/postgresql-protocol.js';
import { expectSteadyParser, messagesOf } from '../../support/message-stream.js';

function framed(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function encode(message: PostgresqlMessage): Buffer {
  switch (message.kind) {
    case 'authentication':
      return framed('R', Buffer.concat([int32(message.code), message.data]));
    case 'error': {
      const { severity, code, text } = message.error;
      const fields = `S${severity}\0V${severity}\0C${code}\0M${text}\0\0`;
      return framed('E', Buffer.from(fields));
    }
    case 'ready':
      return framed('Z', Buffer.from('I'));
    case 'row': {
      const count = Buffer.alloc(2);
      count.writeUInt16BE(message.columns.length);
      const columns = message.columns.map((column) =>
        column === null
          ? int32(-1)
          : Buffer.concat([int32(Buffer.byteLength(column)), Buffer.from(column)]),
      );
      return framed('D', Buffer.concat([count, ...columns]));
    }
    case 'other':
      return framed(message.type, Buffer.from('anything'));
  }
}

const word = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));
const message: fc.Arbitrary<PostgresqlMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('authentication' as const),
    code: fc.nat(12),
    data: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({
    kind: fc.constant('error' as const),
    error: fc.record({ severity: word, code: word, text: word }),
  }),
  fc.constant<PostgresqlMessage>({ kind: 'ready' }),
  fc.record({
    kind: fc.constant('row' as const),
    columns: fc.array(fc.option(word), { maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('other' as const), type: fc.constantFrom('S', 'K', 'T', 'N') }),
);
const bytesOf = (messages: readonly PostgresqlMessage[]) => Buffer.concat(messages.map(encode));

describe('messages of PostgreSQL', () => {
  it('are read as they were sent, one after the other', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        expect(messagesOf(bytesOf(messages), parsePostgresqlMessage)).toEqual(messages);
      }),
    );
  });

  it('are waited for until they are whole, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(message, fc.nat(), (one, at) => {
        const bytes = encode(one);
        expect(parsePostgresqlMessage(bytes.subarray(0, at % bytes.length))).toBeNull();
      }),
    );
  });

  it('never throw, and what was said of a beginning holds for the whole', () => {
    expectSteadyParser(parsePostgresqlMessage, fc.array(message, { maxLength: 4 }).map(bytesOf));
  });

  it.each([
    ['another protocol', Buffer.from('+PONG\r\n'), 'not a PostgreSQL message'],
    ['an impossible length', Buffer.from([0x52, 0xff, 0xff, 0xff, 0xff]), 'impossible length'],
    ['a length that ends before itself', Buffer.from([0x52, 0, 0, 0, 3]), 'impossible length'],
    ['an authentication without a code', framed('R', Buffer.from('abc')), 'cannot be read'],
    ['an error whose text has no end', framed('E', Buffer.from('Mfatal')), 'cannot be read'],
    ['a row of more columns than bytes', framed('D', Buffer.from([0, 9])), 'cannot be read'],
    ['a column of a negative length', framed('D', Buffer.from([0, 1, 255, 255, 255, 254])), 'read'],
  ])('refuse %s', (_name, bytes, why) => {
    expect(parsePostgresqlMessage(bytes)).toEqual({ malformed: expect.stringContaining(why) });
  });
});

describe('messages to PostgreSQL', () => {
  it('begin with version 3 and the fields of the session', () => {
    const bytes = postgresqlStartup({ user: 'me', database: 'db' });
    expect(bytes.readUInt32BE(0)).toBe(bytes.length);
    expect(bytes.readUInt32BE(4)).toBe(0x30000);
    expect(bytes.subarray(8).toString()).toBe('user\0me\0database\0db\0\0');
  });

  it('carry their length, and end their texts once', () => {
    expect(postgresqlQuery('select 1').toString('latin1')).toBe('Q\0\0\0\rselect 1\0');
    expect(postgresqlPassword('a\0b').toString('latin1')).toBe('p\0\0\0\x07ab\0');
    expect(postgresqlTerminate().toString('latin1')).toBe('X\0\0\0\x04');
    const initial = postgresqlSaslInitial('SCRAM-SHA-256', 'n,,n=,r=x');
    expect(initial.toString('latin1')).toBe('p\0\0\0\x1fSCRAM-SHA-256\0\0\0\0\tn,,n=,r=x');
  });
});

describe('a login by SCRAM-SHA-256', () => {
  it('is the example of RFC 7677', () => {
    // The RFC names the user in its first message, PostgreSQL leaves it out.
    const nonce = 'rOprNGfwEbeRWgbNEkqO';
    const first = `r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
    const final = scramFinal(nonce, first, 'pencil', 'user');
    expect(final?.clientFinal).toBe(
      `c=biws,r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,` +
        'p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    expect(final?.proves('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toBe(true);
    expect(final?.proves('v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toBe(false);
    expect(final?.proves('e=invalid-proof')).toBe(false);
  });

  it('is accepted by who knows the password, and accepts who knows it', () => {
    const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
    fc.assert(
      fc.property(text, fc.uint8Array({ minLength: 4, maxLength: 16 }), (password, saltBytes) => {
        const salt = Buffer.from(saltBytes);
        const first = `r=abcdef,s=${salt.toString('base64')},i=2`;
        const final = scramFinal('abc', first, password);
        const key = pbkdf2Sync(password.normalize('NFKC'), salt, 2, 32, 'sha256');
        const sign = (by: Buffer, what: string) => createHmac('sha256', by).update(what).digest();
        const stored = createHash('sha256').update(sign(key, 'Client Key')).digest();
        const transcript = `${scramFirst('abc').slice(3)},${first},c=biws,r=abcdef`;
        const proof = Buffer.from(/,p=(.*)$/.exec(final?.clientFinal ?? '')?.[1] ?? '', 'base64');
        const signature = sign(stored, transcript);
        const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0)));
        expect(createHash('sha256').update(clientKey).digest()).toEqual(stored);
        const answer = sign(sign(key, 'Server Key'), transcript).toString('base64');
        expect(final?.proves(`v=${answer}`)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ['another nonce', 'r=xyz123,s=AAAA,i=4096'],
    ['our own nonce, unchanged', 'r=abc,s=AAAA,i=4096'],
    ['no salt', 'r=abcdef,i=4096'],
    ['work without end', 'r=abcdef,s=AAAA,i=2000000000'],
    ['no work', 'r=abcdef,s=AAAA,i=0'],
    ['an extension that must be understood', 'm=x,r=abcdef,s=AAAA,i=4096'],
    ['nothing', ''],
  ])('refuses %s', (_name, first) => {
    expect(scramFinal('abc', first, 'secret')).toBeNull();
  });

  it('is chosen where it is offered', () => {
    expect(offersScram(Buffer.from('SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0'))).toBe(true);
    expect(offersScram(Buffer.from('SCRAM-SHA-256-PLUS\0\0'))).toBe(false);
    expect(offersScram(Buffer.from('SCRAM-SHA-256'))).toBe(true);
    expect(offersScram(Buffer.alloc(0))).toBe(false);
  });
});

it('a login by md5 hashes password and user, then the salt', () => {
  const inner = createHash('md5').update('secretme').digest('hex');
  const salt = Buffer.from([1, 2, 3, 4]);
  const outer = createHash('md5').update(inner).update(salt).digest('hex');
  expect(postgresqlMd5('me', 'secret', salt)).toBe(`md5${outer}`);
});
