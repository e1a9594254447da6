// The protocol of MySQL and MariaDB: packets in any pieces, handshakes, proofs and answers.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isMysqlEnd,
  type MysqlPacket,
  mysqlLogin,
  mysqlPacket,
  mysqlPlugins,
  mysqlProof,
  mysqlQuery,
  parseMysqlPacket,
  readMysqlAnswer,
  readMysqlHandshake,
  readMysqlValue,
} from '../../../src/health/mysql-protocol.js';
import { expectSteadyParser, messagesOf } from '../../support/message-stream.js';

const packet: fc.Arbitrary<MysqlPacket> = fc.record({
  sequence: fc.nat(255),
  payload: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});
const bytesOf = (packets: readonly MysqlPacket[]) => Buffer.concat(packets.map(mysqlPacket));

interface Greeting {
  readonly version: string;
  readonly challenge: Buffer;
  readonly plugin: string;
}

/** As MySQL 8 and MariaDB send it. */
function greeting({ version, challenge, plugin }: Greeting, flags = 0xc1ff_f7ff): Buffer {
  const middle = Buffer.alloc(31);
  middle.writeUInt32LE(42, 0);
  challenge.copy(middle, 4, 0, 8);
  middle.writeUInt16LE(flags & 0xffff, 13);
  middle.writeUInt8(45, 15);
  middle.writeUInt16LE(2, 16);
  middle.writeUInt16LE(flags >>> 16, 18);
  middle.writeUInt8(21, 20);
  const text = (value: string) => Buffer.from(`${value}\0`);
  const second = Buffer.concat([challenge.subarray(8), Buffer.of(0)]);
  return Buffer.concat([Buffer.of(10), text(version), middle, second, text(plugin)]);
}

const challengeArbitrary = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => Buffer.from(bytes));

describe('packets of MySQL', () => {
  it('are read as they were sent, one after the other', () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 6 }), (packets) => {
        expect(messagesOf(bytesOf(packets), parseMysqlPacket)).toEqual(packets);
      }),
    );
  });

  it('are waited for until they are whole, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(packet, fc.nat(), (one, at) => {
        const bytes = mysqlPacket(one);
        expect(parseMysqlPacket(bytes.subarray(0, at % bytes.length))).toBeNull();
      }),
    );
  });

  it('never throw, and what was said of a beginning holds for the whole', () => {
    expectSteadyParser(parseMysqlPacket, fc.array(packet, { maxLength: 4 }).map(bytesOf));
  });

  it('refuse what no probe is ever sent', () => {
    const malformed = { malformed: 'a packet of impossible length' };
    expect(parseMysqlPacket(Buffer.from('SSH-2.0-OpenSSH'))).toEqual(malformed);
    expect(parseMysqlPacket(Buffer.from([0, 0, 0, 0]))).toEqual(malformed);
  });
});

describe('a handshake of MySQL', () => {
  it('gives version, challenge and plugin', () => {
    fc.assert(
      fc.property(challengeArbitrary, fc.constantFrom(...mysqlPlugins), (challenge, plugin) => {
        const sent = { version: '8.0.36-0ubuntu', challenge, plugin };
        expect(readMysqlHandshake(greeting(sent))).toEqual(sent);
      }),
    );
  });

  it('is not seen in anything else, and reading it never throws', () => {
    const good = greeting({ version: '8', challenge: Buffer.alloc(20, 7), plugin: 'x' });
    expect(readMysqlHandshake(Buffer.from(good).fill(9, 0, 1))).toBeNull();
    for (let length = 0; length < 50; length++) {
      expect(readMysqlHandshake(good.subarray(0, length)) === null).toBe(length < 46);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
        const found = readMysqlHandshake(Buffer.concat([Buffer.of(10), Buffer.from(noise)]));
        if (found !== null) expect(found.challenge.length).toBeGreaterThanOrEqual(20);
      }),
    );
  });

  it('of before MySQL 4.1 is not understood', () => {
    const sent = { version: '3.23', challenge: Buffer.alloc(20), plugin: '' };
    expect(readMysqlHandshake(greeting(sent, 0x8000))).toBeNull();
    expect(readMysqlHandshake(greeting(sent, 0x0200))).toBeNull();
    expect(readMysqlHandshake(greeting(sent, 0x8200))).not.toBeNull();
  });
});

describe('a proof of a password', () => {
  const hash = (name: string, ...parts: (string | Buffer)[]) => {
    const made = createHash(name);
    for (const part of parts) made.update(part);
    return made.digest();
  };
  const xor = (a: Buffer, b: Buffer) => Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));

  it('by mysql_native_password is what the target checks with what it has kept', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), challengeArbitrary, (password, challenge) => {
        const kept = hash('sha1', hash('sha1', password));
        const proof = mysqlProof('mysql_native_password', password, challenge) ?? Buffer.alloc(0);
        const once = xor(proof, hash('sha1', challenge, kept));
        expect(hash('sha1', once)).toEqual(kept);
      }),
    );
  });

  it('by caching_sha2_password is what the target checks with what it has cached', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), challengeArbitrary, (password, challenge) => {
        const cached = hash('sha256', hash('sha256', password));
        const proof = mysqlProof('caching_sha2_password', password, challenge) ?? Buffer.alloc(0);
        const once = xor(proof, hash('sha256', cached, challenge));
        expect(hash('sha256', once)).toEqual(cached);
      }),
    );
  });

  it('is empty without a password, and none by a plugin that is not known', () => {
    const challenge = Buffer.alloc(20, 1);
    for (const plugin of mysqlPlugins) expect(mysqlProof(plugin, '', challenge)?.length).toBe(0);
    expect(mysqlProof('auth_socket', 'secret', challenge)).toBeNull();
    expect(mysqlProof('constructor', 'secret', challenge)).toBeNull();
  });

  it('goes with user and plugin into one packet', () => {
    const plugin = 'mysql_native_password';
    const bytes = mysqlLogin({ user: 'me\0', proof: Buffer.from('proof'), plugin });
    expect(bytes.subarray(32).toString()).toBe(`me\0\x05proof${plugin}\0`);
    // No compression, no TLS, no multiple statements: only what a probe needs.
    expect(bytes.readUInt32LE(0)).toBe(0x8_8201);
  });
});

describe('an answer of MySQL', () => {
  it('is ok, an error with or without a state, another way, or more', () => {
    const error = (text: string) =>
      Buffer.concat([Buffer.from([0xff, 0x10, 0x04]), Buffer.from(text)]);
    expect(readMysqlAnswer(Buffer.from([0, 0, 0, 2, 0, 0, 0]))).toEqual({ kind: 'ok' });
    const tooMany = { kind: 'error', code: 1040, text: 'Too many connections' };
    expect(readMysqlAnswer(error('#08004Too many connections'))).toEqual(tooMany);
    expect(readMysqlAnswer(error('Too many connections'))).toEqual(tooMany);
    const challenge = Buffer.alloc(20, 9);
    const change = Buffer.concat([Buffer.from('\xfemysql_native_password\0', 'latin1'), challenge]);
    expect(readMysqlAnswer(Buffer.concat([change, Buffer.of(0)]))).toEqual({
      kind: 'switch',
      plugin: 'mysql_native_password',
      challenge,
    });
    expect(readMysqlAnswer(Buffer.of(1, 3))).toEqual({ kind: 'more', step: 3 });
    expect(readMysqlAnswer(Buffer.of(7))).toEqual({ kind: 'other' });
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(255), (bytes, first) => {
        const payload = Buffer.concat([Buffer.of(first), Buffer.from(bytes)]);
        expect(readMysqlAnswer(payload).kind).toMatch(/^(ok|error|switch|more|other)$/);
        readMysqlValue(payload);
      }),
    );
    expect(readMysqlAnswer(Buffer.alloc(0))).toEqual({ kind: 'other' });
    expect(readMysqlAnswer(Buffer.of(0xff))).toEqual({ kind: 'error', code: 0, text: '' });
  });

  it('to a query is a value of one column, and an end', () => {
    expect(readMysqlValue(Buffer.from('\x011'))).toBe('1');
    expect(readMysqlValue(Buffer.from('\x03OFF'))).toBe('OFF');
    expect(readMysqlValue(Buffer.of(0xfb))).toBeNull();
    expect(readMysqlValue(Buffer.from('\x051'))).toBeNull();
    expect(readMysqlValue(Buffer.alloc(0))).toBeNull();
    expect(isMysqlEnd(Buffer.of(0xfe, 0, 0, 2, 0))).toBe(true);
    expect(isMysqlEnd(Buffer.alloc(9, 0xfe))).toBe(false);
    expect(mysqlQuery('select 1').payload.toString()).toBe('\x03select 1');
  });
});
