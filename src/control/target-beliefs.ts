// TargetBeliefs: what is held to be true of the targets of the configuration in force: measured by
// the checker, said by themselves, wished by operators. Says when another table is needed.
import type { Clock } from '../clock.js';
import type { Engine } from '../engine/engine.js';
import type { Logger } from '../log/logger.js';
import { endpointOf, formatAddress, type ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import { type HealthChange, initialHealth, type RoleReport } from '../model/health.js';
import { type AdminState, eligible } from '../model/target.js';
import { configuredKey, targetKey } from '../model/target-key.js';
import {
  type AdminStates,
  carryAdminStates,
  carryHealth,
  type HealthRecord,
  type HealthRecords,
  sameForTable,
} from './beliefs.js';
import type { EjectionRecords } from './ejection-records.js';
import type { PoolMember } from './elect-primary.js';
import { type Place, placeKey, placesOf } from './plan.js';
import type { RoleFacts } from './pool-roles.js';
import { Succession } from './succession.js';
import type { DrainRecords } from './target-drains.js';

export interface Beliefs {
  readonly health: HealthRecords;
  readonly adminStates: AdminStates;
  readonly roles: RoleFacts;
}

/** Of an earlier process. */
export interface RestoredBeliefs {
  readonly health?: HealthRecords;
  readonly adminStates?: AdminStates;
  readonly primaries?: RoleFacts['primaries'];
  readonly ejections?: EjectionRecords;
  readonly drains?: DrainRecords;
}

export interface TargetBeliefsOptions {
  readonly clock: Clock;
  readonly engine: Pick<Engine, 'counters' | 'closeConnections'>;
  readonly log: Logger;
  readonly names: () => ResolvedNames;
  readonly onBeliefsChanged?: () => void;
  /** Of a targetKey in the table in force. */
  readonly slotOf: (key: string) => number | undefined;
  /** Another table is needed; returns the generation from which on it holds. */
  readonly changed: () => number;
  /** The generation that has all that has changed so far. */
  readonly wanted: () => number;
  readonly whenApplied: (generation: number) => Promise<boolean>;
}

export interface FoundTarget {
  readonly place: Place;
  /** targetKey; null: its name has not been resolved. */
  readonly key: string | null;
  readonly adminState: AdminState;
}

export class TargetBeliefs {
  readonly #options: TargetBeliefsOptions;
  readonly #roles: Succession;
  /** null before the first table. */
  #config: Config | null = null;
  #places: ReadonlyMap<string, Place> = new Map();
  #health = new Map<string, HealthRecord>();
  #adminStates = new Map<string, AdminState>();

  constructor(options: TargetBeliefsOptions) {
    this.#options = options;
    this.#roles = new Succession({ ...options, memberOf: (place) => this.#memberOf(place) });
  }

  current(): Beliefs {
    const roles = this.#roles.facts();
    return { health: this.#health, adminStates: this.#adminStates, roles };
  }

  restore({ health, adminStates, primaries }: RestoredBeliefs): void {
    if (health) this.#health = new Map(health);
    if (adminStates) this.#adminStates = new Map(adminStates);
    if (primaries) this.#roles.restore(primaries);
  }

  setHealth(change: HealthChange): number {
    const { endpoint, ...told } = change;
    const { pool, target, health, reason, latencyMs, detail } = told;
    const key = targetKey(pool, target, endpoint);
    const place = this.#places.get(placeKey(pool, target));
    const isOurs = place ? this.#keyOf(place) === key : this.#config === null;
    // A late report about a target, or about an address of it, that is no longer ours. Before the
    // first table nothing can be told apart yet: all are kept, and sorted out when it is applied.
    if (!isOurs) return this.#options.wanted();
    const assumed = place ? initialHealth(place.pool.health) : 'unknown';
    const before = this.#health.get(key)?.health ?? assumed;
    const since = this.#options.clock.wallTime();
    this.#health.set(key, { health, reason, latencyMs, detail, since });
    if (before !== health) {
      this.#options.onBeliefsChanged?.();
      const fields = { ...told, address: formatAddress(endpoint) };
      this.#options.log.event('target_health_changed', fields);
    }
    if (place) this.#roles.settle(place.pool);
    const isSame = place !== undefined && sameForTable(before, health);
    return isSame ? this.#options.wanted() : this.#options.changed();
  }

  setRole(report: RoleReport): void {
    const { pool, target, endpoint } = report;
    const place = this.#places.get(placeKey(pool, target));
    if (!place || place.pool.role === 'any') return;
    const key = this.#keyOf(place);
    if (key === targetKey(pool, target, endpoint)) this.#roles.answered(place.pool, key, report);
  }

  setAdminState(pool: string, target: string, adminState: AdminState): number | null {
    const place = this.#places.get(placeKey(pool, target));
    if (!place) return null;
    const key = configuredKey(pool, place.target);
    if ((this.#adminStates.get(key) ?? 'enabled') === adminState) return this.#options.wanted();
    this.#adminStates.set(key, adminState);
    this.#options.onBeliefsChanged?.();
    this.#options.log.event('target_admin_state_changed', { pool, target, adminState });
    this.#roles.settle(place.pool);
    return this.#options.changed();
  }

  /** What an operator names; null: no such target is configured. */
  find(pool: string, target: string): FoundTarget | null {
    const place = this.#places.get(placeKey(pool, target));
    if (!place) return null;
    const adminState = this.#adminStates.get(configuredKey(pool, place.target)) ?? 'enabled';
    return { place, key: this.#keyOf(place), adminState };
  }

  /** Every worker has the table of this configuration; `slots`: by targetKey. */
  adopt(config: Config, slots: ReadonlyMap<string, number>): void {
    const configs = { before: this.#config ?? config, after: config };
    // Again, and from what is known now: more may have been reported while the table was sent.
    this.#health = new Map(carryHealth(this.#health, configs, this.#options.names()));
    this.#adminStates = new Map(carryAdminStates(this.#adminStates, config));
    if (this.#config !== config) this.#places = placesOf(config);
    this.#config = config;
    this.#roles.follow(config.pools, slots);
  }

  #keyOf({ pool, target }: Place): string | null {
    const endpoint = endpointOf(target.address, this.#options.names());
    return endpoint && targetKey(pool.name, target.name, endpoint);
  }

  #memberOf(place: Place): PoolMember | null {
    const { pool, target } = place;
    const key = this.#keyOf(place);
    if (key === null) return null;
    const health = this.#health.get(key)?.health ?? initialHealth(pool.health);
    const adminState = this.#adminStates.get(configuredKey(pool.name, target)) ?? 'enabled';
    const wish = { health: 'unknown', adminState, ejected: false, weight: target.weight } as const;
    return { key, health, wanted: eligible(wish) };
  }
}
