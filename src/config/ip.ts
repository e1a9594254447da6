// IP addresses between text and the model's bytes. Strict: what inet_aton would guess (1.2.3,
// 0x7f.1, 010.0.0.1) is refused, because every such text in a config was a mistake.
import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { IpAddress } from '../model/address.js';

/** What a scope such as %eth0 means here: the index of the interface, null when there is none. */
export type InterfaceIndex = (name: string) => number | null;

/** For the schema, which knows texts and not machines; facts.ts asks for the interface. */
export const anyInterface: InterfaceIndex = () => 1;

/** null: not an address. A v4-mapped IPv6 address becomes the IPv4 address that it is. */
export function parseIp(text: string, interfaceIndex: InterfaceIndex): IpAddress | null {
  if (isIPv4(text)) return { family: 'ipv4', bytes: ipv4Bytes(text), scopeId: 0 };
  if (!isIPv6(text)) return null;
  const [bare = '', scope] = text.split('%');
  const bytes = Uint8Array.from(ipaddr.IPv6.parse(bare).toByteArray());
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0);
  if (mapped && bytes[10] === 0xff && bytes[11] === 0xff) {
    return { family: 'ipv4', bytes: bytes.slice(12), scopeId: 0 };
  }
  if (scope === undefined) return { family: 'ipv6', bytes, scopeId: 0 };
  const scopeId = /^[0-9]{1,9}$/.test(scope) ? Number(scope) : interfaceIndex(scope);
  return scopeId === null ? null : { family: 'ipv6', bytes, scopeId };
}

/** Of a text that is an address. A file of 5000 targets asks 15 000 times. */
function ipv4Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(4);
  let index = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === dot) index++;
    else bytes[index] = (bytes[index] ?? 0) * 10 + code - zero;
  }
  return bytes;
}

const dot = '.'.charCodeAt(0);
const zero = '0'.charCodeAt(0);

/** RFC 5952 text, without brackets. */
export function formatIp(ip: IpAddress): string {
  if (ip.family === 'ipv4') return `${ip.bytes[0]}.${ip.bytes[1]}.${ip.bytes[2]}.${ip.bytes[3]}`;
  const text = new ipaddr.IPv6(Array.from(ip.bytes)).toRFC5952String();
  return ip.scopeId === 0 ? text : `${text}%${ip.scopeId}`;
}

export function isWildcard(ip: IpAddress): boolean {
  return ip.bytes.every((byte) => byte === 0);
}

export function isLoopback(ip: IpAddress): boolean {
  if (ip.family === 'ipv4') return ip.bytes[0] === 127;
  return ip.bytes.every((byte, index) => byte === (index === 15 ? 1 : 0));
}

export function sameIp(a: IpAddress, b: IpAddress): boolean {
  return (
    a.family === b.family &&
    a.scopeId === b.scopeId &&
    a.bytes.every((byte, index) => byte === b.bytes[index])
  );
}
