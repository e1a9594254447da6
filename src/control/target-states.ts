// target-states: each target of a pool with everything that decides about it, joined in one place.

import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import {
  type AgentWords,
  joinAdminStates,
  joinHealth,
  joinWeight,
  nothingSaid,
} from '../model/agent.js';
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
  /** By targetKey; what agents beside the targets have said. */
  readonly agents: ReadonlyMap<string, AgentWords>;
  /** Absent: nothing is known, and pools with a role have no candidate. */
  readonly roles?: RoleFacts;
}

/** A target with all that decides about it. `slot` null: its name has not been resolved. */
export interface TargetState {
  readonly target: Target;
  readonly key: string | null;
  readonly health: Health;
  /** The stricter of the operator's wish and the agent's. */
  readonly adminState: AdminState;
  readonly ejection: Ejection | null;
  /** The configured one, as the agent has changed it; 0: takes no new connection. */
  readonly weight: number;
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
    const wish = wished(target) ?? 'enabled';
    const endpoint = endpointOf(target.address, facts.names);
    const key = endpoint && targetKey(pool.name, target.name, endpoint);
    const slot = key === null ? undefined : facts.ids.targets.used.get(key);
    if (endpoint === null || key === null || slot === undefined) {
      const none = { key: null, health: 'unhealthy', ejection: null, record: null } as const;
      const fits = pool.role === 'any';
      return { target, adminState: wish, weight: target.weight, inRole: fits, ...none };
    }
    const words = facts.agents.get(key) ?? nothingSaid;
    const measured = facts.health.get(key)?.health ?? initialHealth(pool.health);
    const health = joinHealth(measured, words);
    const adminState = joinAdminStates(wish, words);
    const weight = joinWeight(target.weight, words);
    const { name } = target;
    const maxConnections = words.maxConnections ?? target.maxConnections;
    const servesSessions = health !== 'unhealthy' && adminState !== 'disabled';
    // Who is picked decides about sticky entries: build-table does.
    const poolSlot = facts.ids.pools.used.get(pool.name) ?? null;
    const sticky = { poolSlot, servesSticky: false, renewsSticky: false };
    const record = { slot, name, address: endpoint, maxConnections, servesSessions, ...sticky };
    const ejection = facts.ejections.get(key) ?? null;
    const fits = inRole(pool, key, facts.roles);
    return { target, key, health, adminState, ejection, weight, record, inRole: fits };
  });
}
