// target-states: each target of a pool with everything that decides about it, joined in one place.
import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import type { Ejection, Ejections } from '../model/ejection.js';
import { initialHealth } from '../model/health.js';
import type { Pool } from '../model/pool.js';
import type { TableTarget } from '../model/table.js';
import type { AdminState, Health, Target } from '../model/target.js';
import { configuredKey, targetKey } from '../model/target-key.js';
import type { Ids } from './ids.js';
import { inRole, type RoleFacts } from './pool-roles.js';

export interface TargetFacts {
  readonly ids: Ids;
  /** By targetKey; a target without an entry has not been measured. */
  readonly health: ReadonlyMap<string, { readonly health: Health }>;
  /** By configuredKey; a target without an entry is enabled. */
  readonly adminStates: ReadonlyMap<string, AdminState>;
  readonly ejections: Ejections;
  readonly names: ResolvedNames;
  /** Absent: nothing is known, and pools with a role have no candidate. */
  readonly roles?: RoleFacts;
}

/** A target with all that decides about it. `slot` null: its name has not been resolved. */
export interface TargetState {
  readonly target: Target;
  readonly key: string | null;
  readonly health: Health;
  readonly adminState: AdminState;
  readonly ejection: Ejection | null;
  readonly record: TableTarget | null;
  /** It is what its pool is for. */
  readonly inRole: boolean;
}

/** The targets of a pool in the order of the file. Unresolved ones count as unhealthy. */
export function targetStates(pool: Pool, facts: TargetFacts): readonly TargetState[] {
  const { adminStates } = facts;
  // Mostly there is no wish at all, and then no need for as many keys as targets.
  const wished = (target: Target): AdminState | undefined =>
    adminStates.size === 0 ? undefined : adminStates.get(configuredKey(pool.name, target));
  return pool.targets.map((target): TargetState => {
    const adminState = wished(target) ?? 'enabled';
    const endpoint = endpointOf(target.address, facts.names);
    const key = endpoint && targetKey(pool.name, target.name, endpoint);
    const slot = key === null ? undefined : facts.ids.targets.used.get(key);
    if (endpoint === null || key === null || slot === undefined) {
      const nowhere = { key: null, record: null, ejection: null };
      return { target, health: 'unhealthy', adminState, inRole: pool.role === 'any', ...nowhere };
    }
    const health = facts.health.get(key)?.health ?? initialHealth(pool.health);
    const { name, maxConnections } = target;
    const servesSessions = health !== 'unhealthy' && adminState !== 'disabled';
    const record = { slot, name, address: endpoint, maxConnections, servesSessions };
    const ejection = facts.ejections.get(key) ?? null;
    const fits = inRole(pool, key, facts.roles);
    return { target, key, health, adminState, ejection, record, inRole: fits };
  });
}
