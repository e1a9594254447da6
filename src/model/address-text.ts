// Addresses as people read and write them. The text of an address is also its identity: two
// endpoints are the same if and only if their texts are.
import type { Endpoint, IpAddress, TargetAddress } from './address.js';

/** IPv4 dotted; IPv6 as RFC 5952 wants it, with the scope as a number. */
export function formatIp({ family, bytes, scopeId }: IpAddress): string {
  if (family === 'ipv4') return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  const scope = scopeId === 0 ? '' : `%${scopeId}`;
  if (isV4Mapped(bytes)) return `::ffff:${bytes.slice(12).join('.')}${scope}`;
  const groups = Array.from({ length: 8 }, (_, index) => {
    return ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0);
  });
  const { start, length } = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return hex(groups) + scope;
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}${scope}`;
}

function isV4Mapped(bytes: Uint8Array): boolean {
  return bytes.every((byte, index) => index >= 12 || byte === (index < 10 ? 0 : 0xff));
}

/** The first of the longest runs: RFC 5952, section 4.2.3. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

function formatHostPort(ip: IpAddress, port: number): string {
  return ip.family === 'ipv6' ? `[${formatIp(ip)}]:${port}` : `${formatIp(ip)}:${port}`;
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`, `unix:/run/x.sock`, `unix:@abstract`, `db.internal:5432`. */
export function formatAddress(address: TargetAddress): string {
  switch (address.kind) {
    case 'ip':
      return formatHostPort(address.ip, address.port);
    case 'unix':
      return `unix:${address.path}`;
    case 'name':
      return `${address.host}:${address.port}`;
  }
}

/** What names resolve to now, by host. Made by discovery, read by control and health. */
export type ResolvedNames = ReadonlyMap<string, IpAddress>;

/** Where a target is reached now; null while its name has not been resolved. */
export function endpointOf(address: TargetAddress, names: ResolvedNames): Endpoint | null {
  if (address.kind !== 'name') return address;
  const ip = names.get(address.host);
  return ip ? { kind: 'ip', ip, port: address.port } : null;
}
