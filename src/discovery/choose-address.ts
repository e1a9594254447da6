// Chooses the one address that a target given by name is reached at. Pure.
import ipaddr from 'ipaddr.js';
import type { IpAddress } from '../model/address.js';
import { formatIp } from '../model/address-text.js';

/** Answers beyond this are not read: a target is one address, and answers may be of any size. */
const answersMax = 64;

/**
 * The address in use, while the answer still has it: resolvers rotate their answers, and following
 * that would move every connection twice a minute. Otherwise the first, because the resolver has
 * already sorted them by its own policy (RFC 6724). null: the answer has no usable address.
 */
export function chooseAddress(
  answers: readonly { readonly address: string }[],
  current: IpAddress | null,
): IpAddress | null {
  const usable = answers.slice(0, answersMax).flatMap(({ address }) => parse(address) ?? []);
  if (current !== null) {
    const text = formatIp(current);
    if (usable.some((address) => formatIp(address) === text)) return current;
  }
  return usable[0] ?? null;
}

/** null for text that is no address, and for a link-local one: a name cannot tell its interface. */
function parse(text: string): IpAddress | null {
  if (!ipaddr.isValid(text)) return null;
  const parsed = ipaddr.process(text);
  if (parsed.range() === 'linkLocal' && parsed.kind() === 'ipv6') return null;
  return { family: parsed.kind(), bytes: Uint8Array.from(parsed.toByteArray()), scopeId: 0 };
}
