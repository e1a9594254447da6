// No target may lead back to its own listener, neither directly nor through other listeners: one
// connection would open connections until the descriptors are gone.
import type { IpAddress, TargetAddress } from '../model/address.js';
import type { Protocol } from '../model/listener.js';
import { covers } from './bind-rules.js';
import type { BindFacts, Facts, ListenerFacts, PoolFacts } from './facts.js';
import { isLoopback, isWildcard } from './ip.js';
import { formatPath } from './problem.js';

/** What `localhost` means without asking a resolver (RFC 6761, 6.3). */
const localhost: readonly IpAddress[] = [
  { family: 'ipv4', bytes: Uint8Array.of(127, 0, 0, 1), scopeId: 0 },
  {
    family: 'ipv6',
    bytes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    scopeId: 0,
  },
];

/** A wildcard bind is known to be ours at loopback; other own addresses are for check.ts. */
function reachesBind(ip: IpAddress, bind: BindFacts): boolean {
  if (bind.address.kind !== 'ip') return false;
  if (isWildcard(bind.address.ip) && !isLoopback(ip)) return false;
  return covers(bind.address.ip, ip, bind.listener.ipv6Only);
}

/** Binds by what a target would have to say to reach them. */
type BindIndex = ReadonlyMap<string, readonly BindFacts[]>;

function indexBinds(listeners: readonly ListenerFacts[]): BindIndex {
  const index = new Map<string, BindFacts[]>();
  const add = (key: string, bind: BindFacts) => {
    const known = index.get(key);
    if (known === undefined) index.set(key, [bind]);
    else known.push(bind);
  };
  for (const listener of listeners) {
    for (const bind of listener.binds) {
      if (bind.address.kind === 'unix') add(`unix:${bind.address.path}`, bind);
      else {
        for (let port = bind.address.low; port <= bind.address.high; port++) {
          if (port !== 0) add(`${listener.protocol}:${port}`, bind);
        }
      }
    }
  }
  return index;
}

function listenersAt(
  address: TargetAddress,
  protocol: Protocol,
  index: BindIndex,
): readonly ListenerFacts[] {
  if (address.kind === 'unix') {
    const binds = index.get(`unix:${address.path}`) ?? [];
    return protocol === 'tcp' ? binds.map((bind) => bind.listener) : [];
  }
  const binds = index.get(`${protocol}:${address.port}`) ?? [];
  const isLocalhost = address.kind === 'name' && address.host === 'localhost';
  const ips = address.kind === 'ip' ? [address.ip] : isLocalhost ? localhost : [];
  return binds
    .filter((bind) => ips.some((ip) => reachesBind(ip, bind)))
    .map((bind) => bind.listener);
}

interface Hit {
  readonly pool: PoolFacts;
  readonly targetIndex: number;
  readonly protocol: Protocol;
  readonly listener: ListenerFacts;
}

function hitsOf(facts: Facts): readonly Hit[] {
  const index = indexBinds(facts.listeners);
  const hits: Hit[] = [];
  for (const pool of facts.pools.values()) {
    const protocols = new Set(pool.listeners.flatMap(({ protocol }) => protocol ?? []));
    for (const [targetIndex, target] of pool.targets.entries()) {
      if (target.address === undefined) continue;
      for (const protocol of protocols) {
        for (const listener of listenersAt(target.address, protocol, index)) {
          hits.push({ pool, targetIndex, protocol, listener });
        }
      }
    }
  }
  return hits;
}

function usersOf(hit: Hit): readonly ListenerFacts[] {
  return hit.pool.listeners.filter(({ protocol }) => protocol === hit.protocol);
}

/** Everything that traffic arriving at `from` can come to, itself only when it can come back. */
function reachable(
  from: ListenerFacts,
  next: ReadonlyMap<ListenerFacts, ReadonlySet<ListenerFacts>>,
): ReadonlySet<ListenerFacts> {
  const seen = new Set<ListenerFacts>();
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const listener of next.get(at) ?? []) {
      if (seen.has(listener)) continue;
      seen.add(listener);
      open.push(listener);
    }
  }
  return seen;
}

export function checkLoops(facts: Facts): void {
  const hits = hitsOf(facts);
  const next = new Map<ListenerFacts, Set<ListenerFacts>>();
  for (const hit of hits) {
    for (const user of usersOf(hit)) {
      const known = next.get(user) ?? new Set();
      next.set(user, known.add(hit.listener));
    }
  }
  const said = new Set<string>();
  for (const hit of hits) {
    const target = hit.pool.targets[hit.targetIndex];
    const key = `${hit.pool.name} ${hit.targetIndex}`;
    if (target === undefined || said.has(key)) continue;
    const users = usersOf(hit);
    const direct = users.includes(hit.listener);
    const back = direct || users.some((user) => reachable(hit.listener, next).has(user));
    if (!back) continue;
    said.add(key);
    const where = formatPath(hit.listener.path);
    const message = direct
      ? `a loop: this is the address of ${where}, which this pool serves`
      : `a loop: this is the address of ${where}, which leads back to this pool`;
    facts.report({ code: 'SLUICE_CONFIG_LOOP', path: target.addressPath, message });
  }
}
