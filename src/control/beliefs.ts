// Beliefs: what has been measured and wished so far, and the pure rules by which it is carried from
// one configuration to the next.
import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import { type HealthReason, healthAfterReload } from '../model/health.js';
import type { AdminState, Health } from '../model/target.js';
import { configuredKey, targetKey } from '../model/target-key.js';

/** The verdict on one target, as the checker last reported it. */
export interface HealthRecord {
  readonly health: Health;
  readonly reason: HealthReason;
  readonly latencyMs: number | null;
  readonly detail: string;
  readonly since: Date;
}

export type HealthRecords = ReadonlyMap<string, HealthRecord>;
export type AdminStates = ReadonlyMap<string, AdminState>;

/**
 * Records of targets that stay (same pool, name and address) are kept, all others are dropped; see
 * healthAfterReload for pools whose check begins or ends.
 */
export function carryHealth(
  records: HealthRecords,
  configs: { readonly before: Config; readonly after: Config },
  names: ResolvedNames,
): HealthRecords {
  const checksBefore = new Map(configs.before.pools.map(({ name, health }) => [name, health]));
  const carried = new Map<string, HealthRecord>();
  if (records.size === 0) return carried;
  for (const pool of configs.after.pools) {
    const before = checksBefore.get(pool.name);
    for (const { name, address } of pool.targets) {
      const endpoint = endpointOf(address, names);
      const key = endpoint && targetKey(pool.name, name, endpoint);
      const record = key === null ? undefined : records.get(key);
      if (key === null || !record || !before) continue;
      const health = healthAfterReload(record.health, before, pool.health);
      // Without a record a target starts anew, which is what another verdict here means.
      if (health === record.health) carried.set(key, record);
    }
  }
  return carried;
}

/** Wishes stay with a target while pool, name and configured address do. */
export function carryAdminStates(states: AdminStates, after: Config): AdminStates {
  const carried = new Map<string, AdminState>();
  if (states.size === 0) return carried;
  for (const pool of after.pools) {
    for (const target of pool.targets) {
      const key = configuredKey(pool.name, target);
      const state = states.get(key);
      if (state !== undefined) carried.set(key, state);
    }
  }
  return carried;
}

/** Do these two mean the same to the table? Only then does a change of health need none. */
export function sameForTable(a: Health, b: Health): boolean {
  return (a === 'unhealthy') === (b === 'unhealthy');
}
