// build-table: what the system believes, as one pure function. Configuration, health, the
// operator's wishes, resolved addresses and slots meet here, and nowhere else, in one whole Table.
import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import { initialHealth } from '../model/health.js';
import type { Pool } from '../model/pool.js';
import type { Candidate, Table, TablePool, TableTarget } from '../model/table.js';
import { type AdminState, eligible, type Health, type Target } from '../model/target.js';
import { configuredKey, targetKey } from '../model/target-key.js';
import type { Ids } from './ids.js';

export interface Facts {
  readonly generation: number;
  readonly config: Config;
  readonly ids: Ids;
  /** By targetKey; a target without an entry has not been measured. */
  readonly health: ReadonlyMap<string, { readonly health: Health }>;
  /** By configuredKey; a target without an entry is enabled. */
  readonly adminStates: ReadonlyMap<string, AdminState>;
  readonly names: ResolvedNames;
  /** Targets that the configuration no longer has, while their connections and sessions live. */
  readonly retired: readonly TableTarget[];
  /** False while shutting down: the listeners are gone, what they accepted lives on. */
  readonly listening: boolean;
}

/** A target with all that decides about it. `slot` null: its name has not been resolved. */
export interface TargetState {
  readonly target: Target;
  readonly key: string | null;
  readonly health: Health;
  readonly adminState: AdminState;
  readonly record: TableTarget | null;
}

/** The targets of a pool in the order of the file. Unresolved ones count as unhealthy. */
export function targetStates(pool: Pool, facts: Omit<Facts, 'generation'>): readonly TargetState[] {
  return pool.targets.map((target): TargetState => {
    const adminState = facts.adminStates.get(configuredKey(pool.name, target)) ?? 'enabled';
    const endpoint = endpointOf(target.address, facts.names);
    const key = endpoint && targetKey(pool.name, target.name, endpoint);
    const slot = key === null ? undefined : facts.ids.targets.used.get(key);
    if (endpoint === null || key === null || slot === undefined) {
      return { target, key: null, health: 'unhealthy', adminState, record: null };
    }
    const health = facts.health.get(key)?.health ?? initialHealth(pool.health);
    const { name, maxConnections } = target;
    const servesSessions = health !== 'unhealthy' && adminState !== 'disabled';
    const record = { slot, name, address: endpoint, maxConnections, servesSessions };
    return { target, key, health, adminState, record };
  });
}

/** Who may be picked in one pool. Members are indices into the states. */
export interface Choice {
  readonly primaries: readonly number[];
  readonly backups: readonly number[];
}

/**
 * The eligible primaries and backups. When there is none of either, `when_none_healthy` decides:
 * `refuse` leaves the pool empty; `use_all` disregards health (but not the operator's wishes, nor a
 * weight of 0) and takes all primaries, or all backups in a pool that has no other.
 */
export function chooseCandidates(pool: Pool, states: readonly TargetState[]): Choice {
  const eligibleNow = ({ health, adminState, target }: TargetState): boolean =>
    eligible(health, adminState, target.weight);
  const select = (rule: (state: TargetState) => boolean, backup: boolean): readonly number[] =>
    states.flatMap((state, index) =>
      state.record !== null && state.target.backup === backup && rule(state) ? [index] : [],
    );
  const primaries = select(eligibleNow, false);
  const backups = select(eligibleNow, true);
  if (primaries.length + backups.length > 0 || pool.whenNoneHealthy === 'refuse') {
    return { primaries, backups };
  }
  const regardless = ({ adminState, target }: TargetState): boolean =>
    eligible('unknown', adminState, target.weight);
  const all = select(regardless, false);
  return { primaries: all, backups: all.length > 0 ? [] : select(regardless, true) };
}

/**
 * The whole table. Every target is in it, eligible or not, because connections that exist need its
 * slot; candidates are only those that may be picked now, in the order of the file.
 * Sessions (UDP) stay on a target that is healthy, also while it drains; they leave one that is
 * unhealthy or disabled, unless `use_all` makes it a candidate all the same.
 */
export function buildTable(facts: Facts): Table {
  const { config, ids, generation } = facts;
  const targets: TableTarget[] = [];
  const pools = config.pools.map((pool): TablePool => {
    const states = targetStates(pool, facts);
    const { primaries, backups } = chooseCandidates(pool, states);
    const chosen = new Set([...primaries, ...backups]);
    const indices = states.map(({ record }, index) => {
      if (record === null) return -1;
      const servesSessions = record.servesSessions || chosen.has(index);
      return targets.push({ ...record, servesSessions }) - 1;
    });
    const candidates = (members: readonly number[]): readonly Candidate[] =>
      members.map((index) => ({
        target: indices[index] ?? -1,
        weight: states[index]?.target.weight ?? 0,
      }));
    const { name, policy, retries, sources, tcp } = pool;
    return {
      slot: slotOf(ids.pools.used, name),
      name,
      policy,
      retries,
      primaries: candidates(primaries),
      backups: candidates(backups),
      primariesConfigured: pool.targets.filter(({ backup }) => !backup).length,
      backupsConfigured: pool.targets.filter(({ backup }) => backup).length,
      sources,
      tcp,
    };
  });
  const poolIndex = new Map(config.pools.map(({ name }, index) => [name, index]));
  const listeners = facts.listening ? config.listeners : [];
  return {
    generation,
    listeners: listeners.map((listener) => ({
      slot: slotOf(ids.listeners.used, listener.name),
      pool: slotOf(poolIndex, listener.pool),
      listener,
    })),
    pools,
    targets: [...targets, ...facts.retired],
  };
}

/** Configuration and ids are made for each other; a missing entry is a mistake of ours. */
function slotOf(slots: ReadonlyMap<string, number>, key: string): number {
  const slot = slots.get(key);
  if (slot === undefined) throw new Error(`no slot or index for ${key}`);
  return slot;
}
