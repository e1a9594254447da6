// Plan: a configuration with the slots that it gets and all that is known about its targets; what
// a table is built from. Made before anything is changed, kept when the table has been applied.
import type { Engine } from '../engine/engine.js';
import type { ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import type { Ejections } from '../model/ejection.js';
import type { Listener } from '../model/listener.js';
import type { Pool } from '../model/pool.js';
import type { Table } from '../model/table.js';
import type { Target } from '../model/target.js';
import {
  type AdminStates,
  carryAdminStates,
  carryHealth,
  type HealthRecord,
  type HealthRecords,
} from './beliefs.js';
import type { Facts } from './build-table.js';
import type { EjectorTarget } from './ejector.js';
import { assignIds, type Ids, keysOf, noIds, targetEntries } from './ids.js';
import type { RoleFacts } from './pool-roles.js';
import { type Refusal, slotsRefusal } from './reload-outcome.js';

export type Plan = Omit<Facts, 'generation' | 'health'> & {
  readonly health: ReadonlyMap<string, HealthRecord>;
};

export interface PlanSources {
  readonly config: Config;
  /** The plan and the table in force; null before the first. */
  readonly inForce: { readonly plan: Plan; readonly table: Table } | null;
  readonly health: HealthRecords;
  readonly adminStates: AdminStates;
  readonly ejections: Ejections;
  readonly closing: ReadonlySet<string>;
  readonly roles: RoleFacts;
  readonly names: ResolvedNames;
  readonly agents: Facts['agents'];
  readonly listening: boolean;
  readonly engine: Pick<Engine, 'counters' | 'limits'>;
}

export type PlanOutcome = { readonly ok: true; readonly plan: Plan } | Refused;
interface Refused {
  readonly ok: false;
  readonly refusal: Refusal;
}

export function makePlan(sources: PlanSources): PlanOutcome {
  const { config, inForce, names, listening, engine } = sources;
  const { counters, limits } = engine;
  const assigned = assignIds(inForce?.plan.ids ?? noIds, keysOf(config, names), {
    limits,
    active: (kind, slot) => {
      if (kind === 'listeners') return counters.listenerActive(slot) > 0;
      return kind === 'targets' && counters.targetActive(slot) > 0;
    },
  });
  if (!assigned.ok) return { ok: false, refusal: slotsRefusal(assigned.kind, assigned.limit) };
  const { ids } = assigned;
  const configs = { before: inForce?.plan.config ?? config, after: config };
  const retiredSlots = new Set(ids.targets.retired.values());
  const plan = {
    config,
    ids,
    names,
    agents: sources.agents,
    listening,
    ejections: sources.ejections,
    closing: sources.closing,
    health: carryHealth(sources.health, configs, names),
    adminStates: carryAdminStates(sources.adminStates, config),
    roles: sources.roles,
    // As they last were: a session stays on a removed target that was healthy. Of no pool, so that
    // no sticky entry leads there.
    retired: (inForce?.table.targets ?? [])
      .filter(({ slot }) => retiredSlots.has(slot))
      .map((target) => ({ ...target, poolSlot: null, servesSticky: false, renewsSticky: false })),
  };
  return { ok: true, plan };
}

export function listenerAt({ config, ids }: Plan, slot: number): Listener | undefined {
  return config.listeners.find(({ name }) => ids.listeners.used.get(name) === slot);
}

/** A target where the configuration has it. */
export interface Place {
  readonly pool: Pool;
  readonly target: Target;
}

export function placeKey(pool: string, target: string): string {
  return JSON.stringify([pool, target]);
}

export function placesOf(config: Config): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const pool of config.pools) {
    for (const target of pool.targets) {
      places.set(placeKey(pool.name, target.name), { pool, target });
    }
  }
  return places;
}

/** The targets of the configuration that have a slot. */
export function slottedTargets({ config, ids, names }: Plan): readonly EjectorTarget[] {
  return targetEntries(config, names).flatMap(({ key, pool, target }) => {
    const slot = ids.targets.used.get(key);
    return slot === undefined ? [] : [{ key, pool, target, slot }];
  });
}

/** For the log. */
export function sizeOf({ config, ids, listening }: Plan) {
  return {
    listeners: listening ? config.listeners.length : 0,
    pools: config.pools.length,
    targets: ids.targets.used.size,
  };
}

/** For the log. */
export function differences(before: Ids, after: Ids) {
  return {
    listenersAdded: countMissing(after.listeners.used, before.listeners.used),
    listenersRemoved: countMissing(before.listeners.used, after.listeners.used),
    targetsAdded: countMissing(after.targets.used, before.targets.used),
    targetsRemoved: countMissing(before.targets.used, after.targets.used),
  };
}

function countMissing(of: ReadonlyMap<string, number>, from: ReadonlyMap<string, number>): number {
  return [...of.keys()].filter((key) => !from.has(key)).length;
}
