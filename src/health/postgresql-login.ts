// How one proves to PostgreSQL who one is: md5, and SCRAM-SHA-256 (RFC 5802, RFC 7677). Pure but
// for the cache of derived keys. No channel binding: the probe speaks without TLS.
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';

/** md5(md5(password + user) + salt), as PostgreSQL wants it. */
export function postgresqlMd5(user: string, password: string, salt: Buffer): string {
  const md5 = (...parts: readonly (string | Buffer)[]): string => {
    const hash = createHash('md5');
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };
  return `md5${md5(md5(password, user), salt)}`;
}

export const scramMechanism = 'SCRAM-SHA-256';

/** Is SCRAM-SHA-256 in the list of mechanisms (NUL behind each) that a target offers? */
export function offersScram(data: Buffer): boolean {
  return data.toString('latin1').split('\0').includes(scramMechanism);
}

/**
 * PostgreSQL's default is 4096, one millisecond of work. A target that names a number without bound
 * must not occupy the control plane; 131072 take about 40 ms, once.
 */
const iterationsMax = 131_072;

/** Salt and iterations of a role stay, so that the key is derived once and not at every probe. */
const keysKept = 64;
const saltedKeys = new Map<string, Buffer>();

function saltedKey(password: string, salt: Buffer, iterations: number): Buffer {
  // By a hash, so that no password is kept here.
  const name = createHash('sha256')
    .update(JSON.stringify([password, salt.toString('base64'), iterations]))
    .digest('base64');
  const known = saltedKeys.get(name);
  if (known) return known;
  const key = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const oldest = saltedKeys.keys().next();
  if (saltedKeys.size >= keysKept && oldest.done === false) saltedKeys.delete(oldest.value);
  saltedKeys.set(name, key);
  return key;
}

export interface ScramFinal {
  /** What the client sends last. */
  readonly clientFinal: string;
  /** Has the target proven that it knows the password too? */
  readonly proves: (targetFinal: string) => boolean;
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The first message; PostgreSQL takes the user from the startup message instead of here. */
export function scramFirst(nonce: string, user = ''): string {
  return `n,,n=${user},r=${nonce}`;
}

/**
 * Answers the target's first message; null when that is not one, or not one to `nonce`. `user` is
 * the one of scramFirst.
 */
export function scramFinal(
  nonce: string,
  targetFirst: string,
  password: string,
  user = '',
): ScramFinal | null {
  const fields = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d{0,9})$/.exec(
    targetFirst,
  );
  const [, targetNonce = '', saltText = '', iterationsText = ''] = fields ?? [];
  const iterations = Number(iterationsText);
  if (fields === null || iterations > iterationsMax) return null;
  if (!targetNonce.startsWith(nonce) || targetNonce.length === nonce.length) return null;
  const key = saltedKey(password, Buffer.from(saltText, 'base64'), iterations);
  const clientKey = hmac(key, 'Client Key');
  const storedKey = createHash('sha256').update(clientKey).digest();
  const withoutProof = `c=biws,r=${targetNonce}`;
  const transcript = `n=${user},r=${nonce},${targetFirst},${withoutProof}`;
  const signature = hmac(storedKey, transcript);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
  const expected = hmac(hmac(key, 'Server Key'), transcript);
  return {
    clientFinal: `${withoutProof},p=${proof.toString('base64')}`,
    proves: (targetFinal) => {
      const given = Buffer.from(/^v=([A-Za-z0-9+/]+={0,2})/.exec(targetFinal)?.[1] ?? '', 'base64');
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
  };
}
