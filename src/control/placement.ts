// Placement of a plan: who has which slot and how it stands, for those who sample counters.
import { formatAddress } from '../model/address-text.js';
import type { Placement, TargetStanding } from '../model/placement.js';
import type { BoundPorts } from './bound-ports.js';
import { chooseTiers } from './choose-tiers.js';
import type { Plan } from './plan.js';
import { type TargetState, targetStates } from './target-states.js';

function standingOf({ adminState, ejection, health, record }: TargetState): TargetStanding {
  if (adminState === 'disabled' || adminState === 'draining') return adminState;
  if (record === null) return 'unhealthy';
  return ejection === null ? health : 'ejected';
}

/** null before the first plan. */
export function placementOf(plan: Plan | null, ports: BoundPorts): Placement | null {
  if (plan === null) return null;
  const { config, ids } = plan;
  return {
    listeners: config.listeners.flatMap((listener) => {
      const { name, protocol, pool } = listener;
      const slot = ids.listeners.used.get(name);
      if (slot === undefined) return [];
      return [{ name, slot, protocol, pool, addresses: ports.addresses(listener) }];
    }),
    pools: config.pools.map((pool) => {
      const states = targetStates(pool, plan);
      const candidates = new Set(chooseTiers(pool, states).flatMap(({ members }) => members));
      return {
        name: pool.name,
        policy: pool.policy.name,
        targets: states.map((state, index) => ({
          name: state.target.name,
          address: formatAddress(state.target.address),
          slot: state.record?.slot ?? null,
          standing: standingOf(state),
          eligible: candidates.has(index),
          weight: state.weight,
        })),
      };
    }),
  };
}
