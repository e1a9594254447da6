// The client of a question: an address, with a port or without.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseClient } from '../../../src/app/client-address.js';
import { formatIp } from '../../../src/model/address-text.js';

function read(text: string) {
  const client = parseClient(text);
  if (!client.ok) return null;
  const { ip, port } = client.value;
  return [ip && formatIp(ip), port];
}

it('is an address, with a port or without', () => {
  expect(read('192.0.2.7')).toEqual(['192.0.2.7', 0]);
  expect(read('192.0.2.7:4000')).toEqual(['192.0.2.7', 4000]);
  expect(read('2001:db8::1')).toEqual(['2001:db8::1', 0]);
  expect(read('[2001:db8::1]')).toEqual(['2001:db8::1', 0]);
  expect(read('[2001:db8::1]:65535')).toEqual(['2001:db8::1', 65_535]);
  expect(read('::ffff:192.0.2.7')).toEqual(['192.0.2.7', 0]);
  expect(read('unix')).toEqual([null, 0]);
});

it('is refused when it is anything else', () => {
  const wrong = [
    '',
    ':80',
    'x',
    'localhost',
    '1.2.3',
    '192.0.2.7:',
    '192.0.2.7:x',
    '[192.0.2.7]:80',
  ];
  for (const text of [...wrong, '192.0.2.7:65536', '[::1', '::1]', '192.0.2.7 :80', 'unix:/x']) {
    expect(read(text), text).toBeNull();
  }
  const refused = parseClient('nowhere');
  expect(refused).toMatchObject({ problem: { code: 'SLUICE_ADMIN_REQUEST' } });
});

it('is read back as it is written, whatever the address', () => {
  fc.assert(
    fc.property(fc.ipV4(), fc.nat({ max: 65_535 }), (ip, port) => {
      expect(read(`${ip}:${port}`)).toEqual([ip, port]);
    }),
  );
});

it('throws at no text', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseClient(text)));
});
