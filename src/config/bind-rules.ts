// No two binds may claim the same address. The kernel would not always say so: the workers bind
// with SO_REUSEPORT, under which a second owner silently takes half of the traffic.
import { posix } from 'node:path';
import type { IpAddress } from '../model/address.js';
import { type BindAddress, bindsMax } from './bind-address.js';
import type { BindFacts, Facts } from './facts.js';
import { isWildcard, sameIp } from './ip.js';
import { formatPath } from './problem.js';

type IpBind = Extract<BindAddress, { kind: 'ip' }>;

/** Does a socket on `a` receive what is sent to `b`? */
export function covers(a: IpAddress, b: IpAddress, ipv6Only: boolean): boolean {
  if (!isWildcard(a)) return sameIp(a, b);
  return a.family === b.family || (a.family === 'ipv6' && !ipv6Only);
}

export function ipBindsConflict(a: IpBind, aOnly: boolean, b: IpBind, bOnly: boolean): boolean {
  const portsMeet = a.low !== 0 && b.low !== 0 && a.low <= b.high && b.low <= a.high;
  return portsMeet && (covers(a.ip, b.ip, aOnly) || covers(b.ip, a.ip, bOnly));
}

function conflict(a: BindFacts, b: BindFacts): boolean {
  if (a.address.kind === 'unix' || b.address.kind === 'unix') {
    return (
      a.address.kind === 'unix' &&
      b.address.kind === 'unix' &&
      posix.normalize(a.address.path) === posix.normalize(b.address.path)
    );
  }
  const sameProtocol = a.listener.protocol === b.listener.protocol;
  if (!sameProtocol || a.listener.protocol === undefined) return false;
  return ipBindsConflict(a.address, a.listener.ipv6Only, b.address, b.listener.ipv6Only);
}

export function checkBinds(facts: Facts): void {
  const binds = facts.listeners.flatMap((listener) => listener.binds);
  let sockets = 0;
  for (const [index, bind] of binds.entries()) {
    sockets += bind.address.kind === 'unix' ? 1 : bind.address.high - bind.address.low + 1;
    if (sockets > bindsMax) {
      const message = `with this there are ${sockets} addresses to bind, ${bindsMax} are possible`;
      facts.report({ code: 'SLUICE_CONFIG_LIMIT', path: bind.path, message });
      break;
    }
    const other = binds.slice(0, index).find((earlier) => conflict(earlier, bind));
    if (other === undefined) continue;
    const where = `${formatPath(other.path)} (line ${facts.lineOf(other.path)})`;
    const message = `${where} claims this address already`;
    facts.report({ code: 'SLUICE_CONFIG_DUPLICATE_BIND', path: bind.path, message });
  }
}
