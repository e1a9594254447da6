// Rules about roles: a pool can only ask for what the probes of its targets can tell.
import type { Facts, PoolFacts } from './facts.js';

export function checkRoles(facts: Facts): void {
  for (const pool of facts.pools.values()) {
    const { role, role_confirm: confirm } = pool.draft;
    if (confirm !== undefined && role !== 'primary') {
      facts.report({
        severity: 'warning',
        code: 'SLUICE_CONFIG_NO_EFFECT',
        path: [...pool.path, 'role_confirm'],
        aim: 'key',
        message: 'only a pool with role: primary waits for confirmations',
      });
    }
    if (role === 'primary' || role === 'replica') checkProbe(facts, pool, role);
  }
}

function checkProbe(facts: Facts, pool: PoolFacts, role: string): void {
  const { health } = pool.draft;
  const map = typeof health === 'object' ? health : {};
  // Wrong in itself, and reported.
  if (health === undefined && Object.hasOwn(pool.draft, 'health')) return;
  if (Object.hasOwn(map, 'type') && map.type === undefined) return;
  const type = typeof health === 'string' ? health : (map.type ?? 'tcp');
  const refuse = (message: string): void => {
    facts.report({ code: 'SLUICE_CONFIG_HEALTH', path: [...pool.path, 'role'], message });
  };
  if (type === 'redis') return;
  if (type !== 'postgresql' && type !== 'mysql') {
    refuse(`${role} needs a check that knows roles: redis, postgresql or mysql, not ${type}`);
  } else if (!Object.hasOwn(map, 'login')) {
    refuse(`${role} needs a login: without one ${type} does not tell its role`);
  }
}
