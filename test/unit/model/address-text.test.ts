// Addresses as text, against another implementation of RFC 5952.
import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, it } from 'vitest';
import type { IpAddress } from '../../../src/model/address.js';
import { endpointOf, formatAddress, formatIp } from '../../../src/model/address-text.js';
import { at, ip, named } from '../../support/sample-config.js';

function v6(text: string, scopeId = 0): IpAddress {
  return { family: 'ipv6', bytes: Uint8Array.from(ipaddr.parse(text).toByteArray()), scopeId };
}

it('writes IPv6 as RFC 5952 wants it', () => {
  const texts = [
    '::',
    '::1',
    '1::',
    '2001:db8::1',
    '2001:db8:0:1:1:1:1:1',
    '2001:db8::1:0:0:1',
    'fe80::1',
    '1:0:0:2::3',
    '::ffff:192.0.2.1',
    '1:2:3:4:5:6:7:8',
  ];
  for (const text of texts) expect(formatIp(v6(text))).toBe(text);
});

it('writes what reads as the same address again', () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const sparse = fc.array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(
      fc.oneof(
        bytes,
        sparse.map((list) => Uint8Array.from(list)),
      ),
      (raw) => {
        const text = formatIp({ family: 'ipv6', bytes: raw, scopeId: 0 });
        expect(isIPv6(text)).toBe(true);
        expect(ipaddr.parse(text).toByteArray()).toEqual([...raw]);
        // RFC 5952 in another's hands; it writes mapped addresses without the dotted part.
        if (!text.startsWith('::ffff:')) {
          expect(text).toBe(new ipaddr.IPv6([...raw]).toRFC5952String());
        }
      },
    ),
  );
});

it('writes endpoints so that no two different ones read the same', () => {
  expect(formatAddress(at('192.0.2.1', 80))).toBe('192.0.2.1:80');
  expect(formatAddress({ kind: 'ip', ip: v6('::1'), port: 53 })).toBe('[::1]:53');
  expect(formatAddress({ kind: 'ip', ip: v6('fe80::1', 3), port: 53 })).toBe('[fe80::1%3]:53');
  expect(formatAddress({ kind: 'unix', path: '/run/x.sock' })).toBe('unix:/run/x.sock');
  expect(formatAddress({ kind: 'unix', path: '@x' })).toBe('unix:@x');
  expect(formatAddress(named('db.internal', 5432))).toBe('db.internal:5432');
});

it('finds a named target where its name points now, and nowhere before', () => {
  expect(endpointOf(named('db', 5432), new Map())).toBeNull();
  expect(endpointOf(named('db', 5432), new Map([['db', ip('192.0.2.1')]]))).toEqual(
    at('192.0.2.1', 5432),
  );
  expect(endpointOf(at('192.0.2.9'), new Map())).toEqual(at('192.0.2.9'));
});
