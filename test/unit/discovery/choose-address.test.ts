// Which of the addresses in an answer is used.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chooseAddress } from '../../../src/discovery/choose-address.js';
import { formatIp } from '../../../src/model/address-text.js';
import { ip } from '../../support/sample-config.js';

const answer = (...texts: string[]) => texts.map((address) => ({ address }));
const chosen = (...parameters: Parameters<typeof chooseAddress>) => {
  const address = chooseAddress(...parameters);
  return address === null ? null : formatIp(address);
};

it('takes the first answer of either family', () => {
  expect(chosen(answer('192.0.2.2', '192.0.2.1'), null)).toBe('192.0.2.2');
  expect(chosen(answer('2001:db8::1', '192.0.2.1'), null)).toBe('2001:db8::1');
});

it('keeps the current address in whatever order the answer has it', () => {
  const addresses = fc.uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(addresses, fc.nat(), (texts, at) => {
      const current = texts[at % texts.length] ?? '';
      expect(chosen(answer(...texts), ip(current))).toBe(current);
    }),
  );
});

it('leaves the current address when the answer no longer has it', () => {
  expect(chosen(answer('192.0.2.2', '192.0.2.3'), ip('192.0.2.1'))).toBe('192.0.2.2');
});

it('reads 64 answers and no more', () => {
  const many = Array.from({ length: 1000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  expect(chosen(answer(...many), ip('10.0.0.63'))).toBe('10.0.0.63');
  expect(chosen(answer(...many), ip('10.0.0.64'))).toBe('10.0.0.0');
});

it('skips what is no usable address, and shows a mapped one as IPv4', () => {
  expect(chosen(answer('fe80::1%eth0', 'fe80::1', 'nonsense', '', '192.0.2.1'), null)).toBe(
    '192.0.2.1',
  );
  expect(chosen(answer('::ffff:192.0.2.9'), null)).toBe('192.0.2.9');
  expect(chosen(answer('nonsense'), ip('192.0.2.1'))).toBeNull();
  expect(chosen([], null)).toBeNull();
});
