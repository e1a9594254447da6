// Keys that belong to one protocol or one kind of address, and stand where the other one is.
import { type Facts, type ListenerFacts, type PoolFacts, protocolsOf } from './facts.js';
import type { Path } from './problem.js';

/** In a udp listener: the key and what to write instead, if anything. */
const tcpOnly: readonly (readonly [Path, string | undefined])[] = [
  [['backlog'], undefined],
  [['max_connections'], 'udp.max_sessions'],
  [['tcp'], undefined],
  [['replay_safe'], undefined],
  [['replay_buffer'], undefined],
  [['timeouts', 'connect'], undefined],
  [['timeouts', 'half_close'], undefined],
];

const udpOnly: readonly (readonly [Path, string | undefined])[] = [
  [['udp'], undefined],
  [['bulk'], undefined],
];

function has(listener: ListenerFacts, path: Path): boolean {
  let value: unknown = listener.draft;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return false;
    value = (value as Readonly<Record<string, unknown>>)[part];
  }
  return value !== undefined;
}

export function checkProtocols(facts: Facts): void {
  for (const listener of facts.listeners) {
    const { protocol } = listener;
    if (protocol === undefined) continue;
    const [foreign, other] = protocol === 'tcp' ? [udpOnly, 'udp'] : [tcpOnly, 'tcp'];
    for (const [key, suggestion] of foreign) {
      if (!has(listener, key)) continue;
      facts.report({
        code: 'SLUICE_CONFIG_PROTOCOL_OPTION',
        path: [...listener.path, ...key],
        aim: 'key',
        message: `${key.join('.')} is for ${other} listeners, and this one is ${protocol}`,
        suggestion,
      });
    }
    checkUnixBinds(facts, listener);
    checkIdleKeys(facts, listener);
  }
  for (const pool of facts.pools.values()) checkPoolTcp(facts, pool);
}

function checkUnixBinds(facts: Facts, listener: ListenerFacts): void {
  if (listener.protocol !== 'udp') return;
  for (const bind of listener.binds) {
    if (bind.address.kind !== 'unix') continue;
    const message = 'a udp listener takes IP addresses: there is no unix socket for datagrams here';
    facts.report({ code: 'SLUICE_CONFIG_ADDRESS', path: bind.path, message });
  }
}

/** Keys that are right in themselves, but have nothing here to work on. */
function checkIdleKeys(facts: Facts, listener: ListenerFacts): void {
  // While a bind is wrong, what it was to be is unknown.
  const complete = listener.draft.bind !== undefined && listener.binds.length > 0;
  if (!complete) return;
  const idle = (key: string, message: string) =>
    facts.report({
      severity: 'warning',
      code: 'SLUICE_CONFIG_NO_EFFECT',
      path: [...listener.path, key],
      aim: 'key',
      message,
    });
  const files = listener.binds.filter(
    ({ address }) => address.kind === 'unix' && !address.path.startsWith('@'),
  );
  if (listener.draft.unix_mode !== undefined && files.length === 0) {
    idle('unix_mode', 'no bind of this listener is the path of a unix socket');
  }
  const ipv6 = listener.binds.some(
    ({ address }) => address.kind === 'ip' && address.ip.family === 'ipv6',
  );
  if (listener.draft.ipv6_only === true && !ipv6) {
    idle('ipv6_only', 'no bind of this listener is an IPv6 address');
  }
}

function checkPoolTcp(facts: Facts, pool: PoolFacts): void {
  const protocols = protocolsOf(pool);
  if (pool.draft.tcp === undefined || protocols.size === 0 || protocols.has('tcp')) return;
  facts.report({
    severity: 'warning',
    code: 'SLUICE_CONFIG_NO_EFFECT',
    path: [...pool.path, 'tcp'],
    aim: 'key',
    message: 'only udp listeners use this pool',
  });
}
