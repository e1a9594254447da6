// build-table: what the system believes, as one pure function. Configuration, health, the
// operator's wishes, resolved addresses and slots meet here, and nowhere else, in one whole Table.
import type { Config } from '../model/config.js';
import type { Pool } from '../model/pool.js';
import type { Table, TablePool, TableTarget } from '../model/table.js';
import { chooseTiers } from './choose-tiers.js';
import { type TargetFacts, type TargetState, targetStates } from './target-states.js';

export interface Facts extends TargetFacts {
  readonly generation: number;
  readonly config: Config;
  /** Targets that the configuration no longer has, while their connections and sessions live. */
  readonly retired: readonly TableTarget[];
  /** False while shutting down: the listeners are gone, what they accepted lives on. */
  readonly listening: boolean;
  /** By targetKey: drains past their deadline. Absent: none. */
  readonly closing?: ReadonlySet<string>;
}

/**
 * May a sticky entry lead to a target that is no candidate? Where clients stay: to one that works
 * and takes no new clients by the operator's wish, until what is left there is being closed.
 */
function keepsClients(pool: Pool, state: TargetState, closing: Facts['closing']): boolean {
  const { key, health, adminState, ejection, weight, inRole } = state;
  if (pool.sticky?.whenDraining !== 'stay') return false;
  // A former primary is not a primary that drains.
  if (health === 'unhealthy' || ejection !== null || !inRole) return false;
  if (key !== null && closing?.has(key)) return false;
  return adminState === 'draining' || (adminState === 'enabled' && weight === 0);
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
    const tiers = chooseTiers(pool, states);
    const chosen = new Set(tiers.flatMap(({ members }) => members));
    const weights = tableWeights(states.map(({ weight }) => weight));
    const indices = states.map((state, index) => {
      const { record } = state;
      if (record === null) return -1;
      const servesSessions = record.servesSessions || chosen.has(index);
      const renewsSticky = pool.sticky !== null && chosen.has(index);
      const servesSticky = renewsSticky || keepsClients(pool, state, facts.closing);
      return targets.push({ ...record, servesSessions, servesSticky, renewsSticky }) - 1;
    });
    const { name, policy, sticky, retries, retry, queue, park, sources, tcp } = pool;
    return {
      slot: slotOf(ids.pools.used, name),
      name,
      policy,
      sticky,
      retries,
      retry,
      tiers: tiers.map(({ members, configured, share }) => ({
        candidates: members.map((index) => ({
          target: indices[index] ?? -1,
          weight: weights[index] ?? 0,
        })),
        configured,
        share,
      })),
      queue,
      park,
      weightMax: Math.max(...pool.targets.map(({ weight }) => weight)),
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

const weightMax = 65_535;

/**
 * Whole numbers in the proportions of `weights`. As long as no agent has changed one they are whole
 * already; else all of a pool are scaled together, so that 75 % of 1 is 75 beside 100.
 */
export function tableWeights(weights: readonly number[]): readonly number[] {
  const max = Math.max(0, ...weights);
  if (max <= weightMax && weights.every(Number.isInteger)) return weights;
  const factor = Math.min(100, weightMax / max);
  return weights.map((weight) => (weight > 0 ? Math.max(1, Math.round(weight * factor)) : 0));
}

/** Configuration and ids are made for each other; a missing entry is a mistake of ours. */
function slotOf(slots: ReadonlyMap<string, number>, key: string): number {
  const slot = slots.get(key);
  if (slot === undefined) throw new Error(`no slot or index for ${key}`);
  return slot;
}
