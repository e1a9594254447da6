// Rules about health checks: what cannot work, and what would mislead.
import type { ProbeKind } from '../model/health-check.js';
import { defaults } from './defaults.js';
import { type Facts, type PoolDraft, type PoolFacts, protocolsOf } from './facts.js';
import { checkSections, type HealthMap } from './health-section-rules.js';
import type { Path } from './problem.js';
import { formatDuration, parseDuration } from './units.js';

/** A UDP service says nothing about itself by TCP, so pools that serve only UDP are not asked. */
export function defaultProbe(protocols: ReadonlySet<string>): 'tcp' | 'none' {
  return protocols.has('udp') && !protocols.has('tcp') ? 'none' : 'tcp';
}

/** Keys that every probing kind heeds. */
const commonKeys = [
  'type',
  'interval',
  'fast_interval',
  'down_interval',
  'timeout',
  'rise',
  'fall',
  'jitter',
  'initial',
] as const satisfies (keyof HealthMap)[];

type Section = Exclude<keyof HealthMap, (typeof commonKeys)[number] | 'port'>;

interface KindRules {
  /** Not asked at a port. */
  readonly noPort?: true;
  /** It speaks TCP to the target's own port, which says nothing of a UDP service there. */
  readonly speaks?: 'tcp' | 'udp';
  /** Sections of settings that it takes; the first of them is needed when `needs` says so. */
  readonly sections?: readonly Section[];
  /** Such as `http: {path: "/"}`: what the section has at least. */
  readonly needs?: string;
}

/** What goes with which kind. */
const kindRules: Readonly<Record<ProbeKind, KindRules>> = {
  tcp: { speaks: 'tcp' },
  ping: { noPort: true },
  tls: { speaks: 'tcp', sections: ['tls'] },
  http: { speaks: 'tcp', sections: ['http'] },
  https: { speaks: 'tcp', sections: ['http', 'tls'] },
  send_expect: {
    speaks: 'tcp',
    sections: ['send_expect', 'tls'],
    needs: 'send_expect: {steps: [{send: "..."}, {expect: "..."}]}',
  },
  memcached: { speaks: 'tcp' },
  dns: { speaks: 'udp', sections: ['dns'], needs: 'dns: {name: "example.org"}' },
  udp: { speaks: 'udp', sections: ['udp'], needs: 'udp: {send: "..."}' },
  grpc: { speaks: 'tcp', sections: ['grpc', 'tls'] },
  exec: { sections: ['exec'], needs: 'exec: {command: ["/path/of/a/program"]}' },
  redis: { speaks: 'tcp', sections: ['login'] },
  postgresql: { speaks: 'tcp', sections: ['login'] },
  mysql: { speaks: 'tcp', sections: ['login'] },
  none: {},
};

/** Its targets are asked nothing, by choice or by default. */
export function isUnprobed(pool: PoolFacts): boolean {
  const { health } = pool.draft;
  const isWrong = typeof health === 'object' && Object.hasOwn(health, 'type') && !health.type;
  const kind = typeof health === 'string' ? health : health?.type;
  return !isWrong && (kind ?? defaultProbe(protocolsOf(pool))) === 'none';
}

export function checkHealth(facts: Facts): void {
  for (const pool of facts.pools.values()) {
    checkAgent(facts, pool);
    const { health } = pool.draft;
    const path = [...pool.path, 'health'];
    // Wrong in itself, and reported: then nothing follows from it.
    if (typeof health === 'object' && Object.hasOwn(health, 'type') && health.type === undefined) {
      checkTimes(facts, health, path);
      continue;
    }
    const map = typeof health === 'object' ? health : {};
    const chosen = typeof health === 'string' ? health : map.type;
    const kind = chosen ?? defaultProbe(protocolsOf(pool));
    const typePath = typeof health === 'string' ? path : [...path, 'type'];
    if (kind === 'ping') checkPing(facts, pool);
    if (chosen !== undefined) checkProtocol(facts, pool, chosen, map.port, typePath);
    checkTimes(facts, map, path);
    checkKeys(facts, kind, map, path);
    checkNeeds(facts, kind, health, path);
    checkSections(facts, map, path);
    checkLogin(facts, kind, map, path);
  }
}

/** An agent has a port of its own at the target's address, which a unix socket has not. */
function checkAgent(facts: Facts, pool: PoolFacts): void {
  const { agent } = pool.draft;
  if (agent === undefined) return;
  for (const target of pool.targets) {
    if (target.address?.kind !== 'unix') continue;
    const message = 'the pool has agents, and a unix socket has no address to ask one at';
    facts.report({ code: 'SLUICE_CONFIG_HEALTH', path: target.addressPath, message });
  }
  const defaultInterval = Object.hasOwn(agent, 'interval') ? '' : defaults.agent.interval;
  const interval = parseDuration(agent.interval ?? defaultInterval);
  const timeout = parseDuration(agent.timeout ?? '');
  if (!interval.ok || !timeout.ok || timeout.value <= interval.value) return;
  const message = `${agent.timeout} is longer than the interval, ${formatDuration(interval.value)}`;
  facts.report({ code: 'SLUICE_CONFIG_HEALTH', path: [...pool.path, 'agent', 'timeout'], message });
}

function checkPing(facts: Facts, pool: PoolFacts): void {
  for (const target of pool.targets) {
    if (target.address?.kind !== 'unix') continue;
    const message = 'the pool is checked by ping, and a unix socket has no IP address';
    facts.report({ code: 'SLUICE_CONFIG_HEALTH', path: target.addressPath, message });
  }
}

function checkProtocol(
  facts: Facts,
  pool: PoolFacts,
  kind: ProbeKind,
  port: number | undefined,
  path: Path,
): void {
  const { speaks } = kindRules[kind];
  if (speaks === 'udp') {
    for (const target of pool.targets) {
      if (target.address?.kind !== 'unix') continue;
      const message = `${kind} asks by UDP: a datagram cannot go to a unix socket`;
      facts.report({ code: 'SLUICE_CONFIG_HEALTH', path: target.addressPath, message });
    }
  }
  const udpOnly = defaultProbe(protocolsOf(pool)) === 'none';
  if (speaks !== 'tcp' || !udpOnly || port !== undefined) return;
  facts.report({
    severity: 'warning',
    code: 'SLUICE_CONFIG_HEALTH',
    path,
    message:
      `only udp listeners use this pool: ${kind} says nothing about them; ` +
      'use ping, or set port',
  });
}

function checkTimes(facts: Facts, health: HealthMap, path: Path): void {
  // `interval` may be there and wrong; then there is nothing to compare with.
  if (health.interval === undefined && Object.hasOwn(health, 'interval')) return;
  const interval = parseDuration(health.interval ?? defaults.health.interval);
  for (const key of ['timeout', 'fast_interval'] as const) {
    const text = health[key];
    const value = text === undefined ? undefined : parseDuration(text);
    if (!interval.ok || value?.ok !== true || value.value <= interval.value) continue;
    const message = `${text} is longer than the interval, ${formatDuration(interval.value)}`;
    facts.report({ code: 'SLUICE_CONFIG_HEALTH', path: [...path, key], message });
  }
}

/** A key without effect is a warning; a whole section of another type is a contradiction. */
function checkKeys(facts: Facts, kind: ProbeKind, health: HealthMap, path: Path): void {
  const { noPort, sections = [] } = kindRules[kind];
  for (const [key, value] of Object.entries(health)) {
    if (value === undefined || key === 'type') continue;
    const isCommon = key === 'port' || commonKeys.some((common) => common === key);
    if (!isCommon) {
      if (sections.some((section) => section === key)) continue;
      const types = typesWith(key);
      facts.report({
        code: 'SLUICE_CONFIG_HEALTH',
        path: [...path, key],
        aim: 'key',
        message: `${key} goes with type ${types.join(', ')}, and the type here is ${kind}`,
      });
      continue;
    }
    const hasEffect = kind !== 'none' && !(key === 'port' && noPort === true);
    if (hasEffect) continue;
    facts.report({
      severity: 'warning',
      code: 'SLUICE_CONFIG_NO_EFFECT',
      path: [...path, key],
      aim: 'key',
      message:
        kind === 'none' ? 'this pool is not checked, as its type is none' : `${kind} has no port`,
    });
  }
}

function typesWith(section: string): readonly string[] {
  return Object.entries(kindRules).flatMap(([kind, { sections = [] }]) =>
    sections.some((one) => one === section) ? [kind] : [],
  );
}

/** What a login needs in each protocol, and what has no effect. */
function checkLogin(facts: Facts, kind: ProbeKind, { login }: HealthMap, path: Path): void {
  if (login === undefined) return;
  const missing = (key: 'user' | 'password_file'): void => {
    if (Object.hasOwn(login, key)) return;
    const message = `a login to ${kind} needs ${key}`;
    facts.report({ code: 'SLUICE_CONFIG_MISSING', path: [...path, 'login'], message });
  };
  if (kind === 'redis') missing('password_file');
  if (kind === 'postgresql' || kind === 'mysql') missing('user');
  if (login.database === undefined || kind === 'postgresql') return;
  facts.report({
    severity: 'warning',
    code: 'SLUICE_CONFIG_NO_EFFECT',
    path: [...path, 'login', 'database'],
    aim: 'key',
    message: `${kind} is asked without a database`,
  });
}

function checkNeeds(facts: Facts, kind: ProbeKind, health: PoolDraft['health'], path: Path): void {
  const { needs, sections = [] } = kindRules[kind];
  const section = sections[0];
  if (needs === undefined || section === undefined) return;
  // It stands there, if wrong, which has been said.
  if (typeof health === 'object' && Object.hasOwn(health, section)) return;
  const message = `type ${kind} needs settings: ${needs}`;
  facts.report({ code: 'SLUICE_CONFIG_MISSING', path, message });
}
