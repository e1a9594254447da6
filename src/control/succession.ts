// Succession: carries out what the roles of targets mean: a table in which the right ones may be
// picked, and the end of connections to a primary that is none any more.
import type { Engine } from '../engine/engine.js';
import type { Logger } from '../log/logger.js';
import type { RoleReport } from '../model/health.js';
import type { Pool } from '../model/pool.js';
import type { PoolMember } from './elect-primary.js';
import type { Place } from './plan.js';
import { PoolRoles, type RoleFacts } from './pool-roles.js';

export interface SuccessionOptions {
  readonly engine: Pick<Engine, 'counters' | 'closeConnections'>;
  readonly log: Logger;
  /** null: its name has not been resolved. */
  readonly memberOf: (place: Place) => PoolMember | null;
  /** Of a targetKey in the table in force. */
  readonly slotOf: (key: string) => number | undefined;
  /** Another table is needed; returns the generation from which on it holds. */
  readonly changed: () => number;
  readonly whenApplied: (generation: number) => Promise<boolean>;
  /** Another target is the primary of a pool. */
  readonly onBeliefsChanged?: () => void;
}

export class Succession {
  readonly #options: SuccessionOptions;
  readonly #roles = new PoolRoles();

  constructor(options: SuccessionOptions) {
    this.#options = options;
  }

  facts(): RoleFacts {
    return this.#roles.facts();
  }

  restore(primaries: RoleFacts['primaries']): void {
    this.#roles.restore(primaries);
  }

  /** Another table is in force: forgets all targets but its own, and looks at each pool anew. */
  follow(pools: readonly Pool[], slots: ReadonlyMap<string, number>): void {
    this.#roles.keep(pools, slots);
    for (const pool of pools) this.settle(pool);
  }

  answered(pool: Pool, key: string, report: Pick<RoleReport, 'ok' | 'role'>): void {
    this.#roles.answered(key, report);
    this.settle(pool);
  }

  /** After something has changed that is known of a target of the pool. */
  settle(pool: Pool): void {
    if (pool.role === 'any') return;
    const { log, memberOf, changed, whenApplied, onBeliefsChanged } = this.#options;
    const names = new Map<string, string>();
    const members = pool.targets.flatMap((target) => {
      const member = memberOf({ pool, target });
      if (member === null) return [];
      names.set(member.key, target.name);
      return [member];
    });
    const { forTable, succession, newRivals } = this.#roles.settle(pool, members);
    const nameOf = (key: string | null | undefined): string => names.get(key ?? '') ?? '';
    for (const key of newRivals) {
      const kept = nameOf(this.#roles.primaryOf(pool.name));
      log.event('split_brain', { pool: pool.name, kept, other: nameOf(key) });
    }
    const generation = forTable || succession ? changed() : 0;
    if (succession === null) return;
    const { primary, previous } = succession;
    onBeliefsChanged?.();
    const target = nameOf(primary);
    log.event('primary_changed', { pool: pool.name, target, previous: nameOf(previous) });
    if (previous === null) return;
    // Not before every worker picks the new one: who is cut and comes again must not meet the old.
    void whenApplied(generation).then((applied) => {
      if (applied) this.#cutFormer(pool.name, nameOf(previous), previous);
    });
  }

  #cutFormer(pool: string, name: string, key: string): void {
    const { engine, log, slotOf } = this.#options;
    const slot = slotOf(key);
    const present = this.#roles.primaryOf(pool);
    // It has become the primary again, or a reload has taken it out, which ends its connections,
    // or has made this a pool in which nobody is the primary.
    if (slot === undefined || present === undefined || present === key) return;
    const active = engine.counters.targetActive(slot);
    if (active === 0) return;
    log.event('connections_closed', { owner: 'target', name: `${pool}/${name}`, active });
    engine.closeConnections('target', slot);
  }
}
