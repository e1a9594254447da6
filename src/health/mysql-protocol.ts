// The protocol of MySQL and MariaDB (dev.mysql.com/doc/dev/mysql-server, "Client/Server Protocol"),
// as far as a probe speaks it: packets to bytes, bytes to packets. Pure; a target sends anything.
import { createHash } from 'node:crypto';
import type { ParsedMessage } from './parsed-message.js';

export interface MysqlPacket {
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Everything that a probe is sent fits in less. */
const payloadBytesMax = 65_536;

const malformed = (what: string) => ({ malformed: what });

export function mysqlPacket({ sequence, payload }: MysqlPacket): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head.writeUInt8(sequence & 0xff, 3);
  return Buffer.concat([head, payload]);
}

/** The packet at the beginning of `received`. */
export function parseMysqlPacket(received: Buffer): ParsedMessage<MysqlPacket> {
  if (received.length < 4) return null;
  const length = received.readUIntLE(0, 3);
  if (length === 0 || length > payloadBytesMax) return malformed('a packet of impossible length');
  if (received.length < 4 + length) return null;
  const payload = received.subarray(4, 4 + length);
  return { message: { sequence: received.readUInt8(3), payload }, bytes: 4 + length };
}

export interface MysqlHandshake {
  readonly version: string;
  /** 20 bytes that make each login another. */
  readonly challenge: Buffer;
  /** How the target would like to be convinced. */
  readonly plugin: string;
}

const capabilities = {
  longPassword: 0x1,
  protocol41: 0x200,
  secureConnection: 0x8000,
  pluginAuth: 0x80000,
} as const;
const wanted =
  capabilities.longPassword |
  capabilities.protocol41 |
  capabilities.secureConnection |
  capabilities.pluginAuth;

const challengeBytes = 20;

/** Protocol version 10, the first packet of every MySQL since 3.21; null: it is none. */
export function readMysqlHandshake(payload: Buffer): MysqlHandshake | null {
  if (payload[0] !== 10) return null;
  const versionEnd = payload.indexOf(0, 1);
  // Thread, 8 bytes of the challenge, a filler, capabilities, character set, status, capabilities,
  // length of the challenge, 10 bytes of nothing.
  const rest = versionEnd < 0 ? Buffer.alloc(0) : payload.subarray(versionEnd + 1);
  if (rest.length < 31) return null;
  const flags = rest.readUInt16LE(13) | (rest.readUInt16LE(18) << 16);
  if ((flags & capabilities.protocol41) === 0) return null;
  if ((flags & capabilities.secureConnection) === 0) return null;
  // The second part has at least 13 bytes, the last of them a NUL.
  const secondBytes = Math.max(13, rest.readUInt8(20) - 8);
  const second = rest.subarray(31, 31 + secondBytes);
  if (second.length < 12) return null;
  const challenge = Buffer.concat([rest.subarray(4, 12), second]).subarray(0, challengeBytes);
  const plugin = cStringAt(rest, 31 + secondBytes);
  return { version: payload.toString('utf8', 1, versionEnd), challenge, plugin };
}

/** Up to a NUL or to the end; older ones forgot the NUL behind the plugin's name. */
function cStringAt(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString('utf8', Math.min(start, bytes.length), end < 0 ? bytes.length : end);
}

export interface MysqlLogin {
  readonly user: string;
  readonly proof: Buffer;
  readonly plugin: string;
}

const utf8mb4 = 45;

export function mysqlLogin({ user, proof, plugin }: MysqlLogin): Buffer {
  const head = Buffer.alloc(32);
  head.writeUInt32LE(wanted, 0);
  head.writeUInt32LE(payloadBytesMax, 4);
  head.writeUInt8(utf8mb4, 8);
  const text = (value: string) => Buffer.from(`${value.replaceAll('\0', '')}\0`);
  return Buffer.concat([head, text(user), Buffer.of(proof.length), proof, text(plugin)]);
}

const sha = (algorithm: 'sha1' | 'sha256', ...parts: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const xor = (a: Buffer, b: Buffer): Buffer =>
  Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));

/** Proofs of a password by plugin. No password is an empty proof with either. */
const proofs: Readonly<Record<string, (password: string, challenge: Buffer) => Buffer>> = {
  mysql_native_password: (password, challenge) => {
    const once = sha('sha1', password);
    return xor(once, sha('sha1', challenge, sha('sha1', once)));
  },
  /** Enough when the target has the user in its cache, the "fast path". */
  caching_sha2_password: (password, challenge) => {
    const once = sha('sha256', password);
    return xor(once, sha('sha256', sha('sha256', once), challenge));
  },
};

export const mysqlPlugins: readonly string[] = Object.keys(proofs);

/** null: a plugin that a probe does not speak. */
export function mysqlProof(plugin: string, password: string, challenge: Buffer): Buffer | null {
  const proof = Object.hasOwn(proofs, plugin) ? proofs[plugin] : undefined;
  if (!proof) return null;
  return password === '' ? Buffer.alloc(0) : proof(password, challenge);
}

/** What follows a login or a query, by its first byte. */
export type MysqlAnswer =
  | { readonly kind: 'ok' }
  | { readonly kind: 'error'; readonly code: number; readonly text: string }
  /** Prove it in another way, to another challenge. */
  | { readonly kind: 'switch'; readonly plugin: string; readonly challenge: Buffer }
  /** caching_sha2_password: 3 = known by the cache, 4 = the whole password is needed. */
  | { readonly kind: 'more'; readonly step: number }
  | { readonly kind: 'other' };

export function readMysqlAnswer(payload: Buffer): MysqlAnswer {
  switch (payload[0]) {
    case 0x00:
      return { kind: 'ok' };
    case 0xff:
      return readError(payload);
    case 0xfe: {
      const plugin = cStringAt(payload, 1);
      const start = 2 + Buffer.byteLength(plugin);
      const challenge = payload.subarray(start, start + challengeBytes);
      return { kind: 'switch', plugin, challenge };
    }
    case 0x01:
      return { kind: 'more', step: payload[1] ?? 0 };
    default:
      return { kind: 'other' };
  }
}

/** Before the handshake there is no SQLSTATE (`#` and 5 characters) in front of the text. */
function readError(payload: Buffer): MysqlAnswer {
  const code = payload.length < 3 ? 0 : payload.readUInt16LE(1);
  const start = payload[3] === 0x23 ? 9 : 3;
  return { kind: 'error', code, text: payload.toString('utf8', Math.min(start, payload.length)) };
}

export const mysqlQuery = (sql: string): MysqlPacket => ({
  sequence: 0,
  payload: Buffer.concat([Buffer.of(3), Buffer.from(sql)]),
});
export const mysqlQuit = (): MysqlPacket => ({ sequence: 0, payload: Buffer.of(1) });

/** The end of a list, before MySQL 5.7.5 and for who does not ask otherwise. */
export function isMysqlEnd(payload: Buffer): boolean {
  return payload[0] === 0xfe && payload.length < 9;
}

/** The only column of a row; null: NULL, or no such row. */
export function readMysqlValue(payload: Buffer): string | null {
  const length = payload[0] ?? 0xfb;
  // Longer texts have a longer length in front; no value that a probe asks for is one.
  if (length >= 0xfb || payload.length !== 1 + length) return null;
  return payload.toString('utf8', 1);
}
