// Rules about priorities, backups and how connections are spread over them.
import type { Facts, PoolFacts } from './facts.js';

export function checkTiers(facts: Facts): void {
  for (const pool of facts.pools.values()) {
    checkPriorities(facts, pool);
    checkIdleTierKeys(facts, pool);
  }
}

function checkPriorities(facts: Facts, pool: PoolFacts): void {
  for (const { draft, path } of pool.targets) {
    if (draft.backup !== true || draft.priority === undefined) continue;
    facts.report({
      code: 'SLUICE_CONFIG_CONFLICT',
      path: [...path, 'priority'],
      message: 'a backup has no priority: it comes after all targets that are none',
    });
  }
}

function checkIdleTierKeys(facts: Facts, pool: PoolFacts): void {
  const idle = (path: readonly string[], message: string): void => {
    const code = 'SLUICE_CONFIG_NO_EFFECT';
    facts.report({ severity: 'warning', code, path: [...pool.path, ...path], aim: 'key', message });
  };
  const primaries = pool.targets.filter(({ draft }) => draft.backup !== true);
  const priorities = new Set(primaries.map(({ draft }) => draft.priority ?? 0));
  if (pool.draft.tiers?.overprovisioning !== undefined && priorities.size < 2) {
    idle(['tiers', 'overprovisioning'], 'all targets have one priority: nothing can spill over');
  }
  if (pool.draft.backups !== undefined && primaries.length === pool.targets.length) {
    idle(['backups'], 'no target of this pool is a backup');
  }
}
