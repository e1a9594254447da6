// Rules about health checks: what cannot work, and what would mislead.
import type { ProbeKind } from '../model/pool.js';
import { defaults } from './defaults.js';
import { type Facts, type PoolFacts, protocolsOf } from './facts.js';
import { formatDuration, parseDuration } from './units.js';

/** A UDP service says nothing about itself by TCP, so pools that serve only UDP are not asked. */
export function defaultProbe(protocols: ReadonlySet<string>): ProbeKind {
  return protocols.has('udp') && !protocols.has('tcp') ? 'none' : 'tcp';
}

export function checkHealth(facts: Facts): void {
  for (const pool of facts.pools.values()) {
    const health = pool.draft.health;
    const type = typeof health === 'string' ? health : health?.type;
    const typePath = [...pool.path, 'health', ...(typeof health === 'string' ? [] : ['type'])];
    if (type === 'ping') checkPing(facts, pool);
    const udpOnly = defaultProbe(protocolsOf(pool)) === 'none';
    const port = typeof health === 'object' ? health.port : undefined;
    if (type === 'tcp' && udpOnly && port === undefined) {
      facts.report({
        severity: 'warning',
        code: 'SLUICE_CONFIG_HEALTH',
        path: typePath,
        message:
          'only udp listeners use this pool: tcp says nothing about them; use ping, or set port',
      });
    }
    checkTimes(facts, pool);
    checkIdleKeys(facts, pool);
  }
}

function checkPing(facts: Facts, pool: PoolFacts): void {
  for (const target of pool.targets) {
    if (target.address?.kind !== 'unix') continue;
    const message = 'the pool is checked by ping, and a unix socket has no IP address';
    facts.report({ code: 'SLUICE_CONFIG_HEALTH', path: target.addressPath, message });
  }
}

function checkTimes(facts: Facts, pool: PoolFacts): void {
  const health = pool.draft.health;
  if (typeof health !== 'object' || health.timeout === undefined) return;
  // `interval` may be there and wrong; then there is nothing to compare with.
  if (health.interval === undefined && Object.hasOwn(health, 'interval')) return;
  const interval = parseDuration(health.interval ?? defaults.health.interval);
  const timeout = parseDuration(health.timeout);
  if (!interval.ok || !timeout.ok || timeout.value <= interval.value) return;
  const path = [...pool.path, 'health', 'timeout'];
  const longest = formatDuration(interval.value);
  const message = `${health.timeout} is longer than the interval, ${longest}`;
  facts.report({ code: 'SLUICE_CONFIG_HEALTH', path, message });
}

function checkIdleKeys(facts: Facts, pool: PoolFacts): void {
  const health = pool.draft.health;
  if (typeof health !== 'object') return;
  const wrongType = Object.hasOwn(health, 'type') && health.type === undefined;
  if (wrongType) return;
  const type = health.type ?? defaultProbe(protocolsOf(pool));
  for (const [key, value] of Object.entries(health)) {
    if (value === undefined || key === 'type') continue;
    if (type === 'tcp' || (type === 'ping' && key !== 'port')) continue;
    facts.report({
      severity: 'warning',
      code: 'SLUICE_CONFIG_NO_EFFECT',
      path: [...pool.path, 'health', key],
      aim: 'key',
      message:
        type === 'ping' ? 'ping has no port' : 'this pool is not checked, as its type is none',
    });
  }
}
