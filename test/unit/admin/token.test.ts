// Tokens and their hashes, and how often an address may be wrong.
import { describe, expect, it } from 'vitest';
import { FailureLimiter } from '../../../src/admin/failure-limiter.js';
import { findToken, hashToken, makeToken } from '../../../src/admin/token.js';

describe('a token', () => {
  it('is found by its hash among others, and by nothing else', () => {
    const secrets = Array.from({ length: 5 }, makeToken);
    expect(new Set(secrets).size).toBe(5);
    const tokens = secrets.map((secret, index) => ({
      name: `t${index}`,
      role: 'read' as const,
      hash: hashToken(secret),
    }));
    for (const [index, secret] of secrets.entries()) {
      expect(secret).toMatch(/^sluice_[\w-]{43}$/);
      expect(findToken(secret, tokens)?.name).toBe(`t${index}`);
      for (const near of [`${secret}x`, secret.slice(0, -1), hashToken(secret), '']) {
        expect(findToken(near, tokens)).toBeNull();
      }
    }
    expect(findToken(makeToken(), tokens)).toBeNull();
  });
});

describe('the failure limiter', () => {
  const setup = () => {
    const time = { nowMs: 0 };
    const limiter = new FailureLimiter({ nowMs: () => time.nowMs });
    const fail = (address: string, times = 10) => {
      for (let count = 0; count < times; count++) limiter.failed(address);
    };
    return { time, limiter, fail };
  };

  it('counts an IPv4 address, and the network of an IPv6 address', () => {
    const { limiter, fail } = setup();
    fail('192.0.2.1', 5);
    expect(limiter.waitMs('192.0.2.1')).toBe(0);
    fail('::ffff:192.0.2.1', 5);
    expect(limiter.waitMs('192.0.2.1')).toBe(60_000);
    expect(limiter.waitMs('192.0.2.2')).toBe(0);
    fail('2001:db8::1');
    expect(limiter.waitMs('2001:db8:0:0:ffff::9')).toBe(60_000);
    expect(limiter.waitMs('2001:db8:0:1::1')).toBe(0);
  });

  it('forgets a window when it is over', () => {
    const { time, limiter, fail } = setup();
    fail('192.0.2.1', 9);
    time.nowMs = 60_000;
    fail('192.0.2.1', 9);
    expect(limiter.waitMs('192.0.2.1')).toBe(0);
    fail('192.0.2.1', 1);
    expect(limiter.waitMs('192.0.2.1')).toBe(60_000);
  });

  it('forgets the oldest of more addresses than it keeps', () => {
    const { limiter, fail } = setup();
    for (let index = 0; index <= 1024; index++) fail(`10.0.${index >> 8}.${index & 255}`);
    expect(limiter.waitMs('10.0.0.0')).toBe(0);
    expect(limiter.waitMs('10.0.0.1')).toBe(60_000);
    expect(limiter.waitMs('10.0.4.0')).toBe(60_000);
  });
});
