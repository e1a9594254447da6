// Token: a random secret that says who asks, and its hash, which is all that a configuration has of
// it. The secret is random and long, so that a plain SHA-256 of it cannot be searched for.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { AdminToken } from '../model/config.js';

/** Secret scanners know it by its beginning. */
export function makeToken(): string {
  return `sluice_${randomBytes(32).toString('base64url')}`;
}

export function hashToken(token: string): string {
  return `sha256:${createHash('sha256').update(token).digest('hex')}`;
}

/** Takes as long whichever it is, and whether it is one or not. */
export function findToken(presented: string, tokens: readonly AdminToken[]): AdminToken | null {
  const hash = Buffer.from(hashToken(presented));
  let found: AdminToken | null = null;
  for (const token of tokens) {
    const expected = Buffer.from(token.hash);
    if (expected.length === hash.length && timingSafeEqual(expected, hash)) found = token;
  }
  return found;
}
