// PoolRoles: what the targets of role-aware pools say they are, and who is held to be the primary.
import type { RoleReport } from '../model/health.js';
import type { Pool } from '../model/pool.js';
import type { Role } from '../model/target.js';
import { afterAnswer, type Claim, electPrimary, type PoolMember } from './elect-primary.js';

/** For a table and for the status; a snapshot. */
export interface RoleFacts {
  /** By targetKey: of the last good probe. */
  readonly roles: ReadonlyMap<string, Role>;
  /** By pool. */
  readonly primaries: ReadonlyMap<string, string>;
}

/** May a target of this pool be picked, as far as its role is concerned? */
export function inRole(pool: Pool, key: string | null, facts: RoleFacts | undefined): boolean {
  if (pool.role === 'any') return true;
  if (key === null || facts === undefined) return false;
  return fits(pool, facts.roles.get(key), facts.primaries.get(pool.name) === key);
}

function fits(pool: Pool, role: Role | null | undefined, isPrimary: boolean): boolean {
  return role === pool.role && (role === 'replica' || isPrimary);
}

export interface RoleChange {
  /** Who may be picked is different now. */
  readonly forTable: boolean;
  /** Another target is the primary. `previous` null: it is the first. */
  readonly succession: { readonly primary: string; readonly previous: string | null } | null;
  /** Others have begun to claim what the present one still is; empty: none, or known before. */
  readonly newRivals: readonly string[];
}

const nobody: ReadonlySet<string> = new Set();

/** Bounded by the targets and pools of the configuration: keep() forgets the others. */
export class PoolRoles {
  /** By targetKey. */
  readonly #claims = new Map<string, Claim>();
  /** By pool, as what follows. */
  readonly #primaries = new Map<string, string>();
  readonly #rivals = new Map<string, ReadonlySet<string>>();
  /** Who might be picked when the pool was last looked at. */
  readonly #fitting = new Map<string, ReadonlySet<string>>();

  answered(key: string, { ok, role }: Pick<RoleReport, 'ok' | 'role'>): void {
    const claim = this.#claims.get(key) ?? { role: null, confirmed: 0 };
    this.#claims.set(key, afterAnswer(claim, { ok, role }));
  }

  /** `targets` of the pool in the order of the file. */
  settle(pool: Pool, targets: readonly PoolMember[]): RoleChange {
    const previous = this.#primaries.get(pool.name) ?? null;
    const { primary, rivals } = this.#elect(pool, targets, previous);
    if (primary !== null) this.#primaries.set(pool.name, primary);
    const rivalsBefore = this.#rivals.get(pool.name) ?? nobody;
    this.#rivals.set(pool.name, new Set(rivals));
    const fittingBefore = this.#fitting.get(pool.name) ?? nobody;
    const fitting = targets.filter(({ key }) => {
      return fits(pool, this.#claims.get(key)?.role, key === primary);
    });
    this.#fitting.set(pool.name, new Set(fitting.map(({ key }) => key)));
    const isSame =
      fitting.length === fittingBefore.size && fitting.every(({ key }) => fittingBefore.has(key));
    return {
      forTable: !isSame,
      succession: primary === null || primary === previous ? null : { primary, previous },
      newRivals: rivals.filter((key) => !rivalsBefore.has(key)),
    };
  }

  facts(): RoleFacts {
    const roles = new Map<string, Role>();
    for (const [key, { role }] of this.#claims) if (role !== null) roles.set(key, role);
    return { roles, primaries: new Map(this.#primaries) };
  }

  primaryOf(pool: string): string | undefined {
    return this.#primaries.get(pool);
  }

  /** Who was the primary of each pool in an earlier process. */
  restore(primaries: ReadonlyMap<string, string>): void {
    for (const [pool, key] of primaries) this.#primaries.set(pool, key);
  }

  /** Forgets all targets and pools but these, and what they were. */
  keep(pools: readonly Pool[], keys: { has(key: string): boolean }): void {
    const roles = new Map(pools.map(({ name, role }) => [name, role]));
    const isAware = (pool: string): boolean => (roles.get(pool) ?? 'any') !== 'any';
    for (const key of this.#claims.keys()) if (!keys.has(key)) this.#claims.delete(key);
    for (const [pool, key] of this.#primaries) {
      if (!keys.has(key) || roles.get(pool) !== 'primary') this.#primaries.delete(pool);
    }
    for (const perPool of [this.#rivals, this.#fitting]) {
      for (const pool of perPool.keys()) if (!isAware(pool)) perPool.delete(pool);
    }
  }

  #elect(pool: Pool, targets: readonly PoolMember[], previous: string | null) {
    if (pool.role !== 'primary') return { primary: null, rivals: [] };
    const members = targets.map((target) => {
      const claim = this.#claims.get(target.key);
      return { asked: claim !== undefined, role: null, confirmed: 0, ...claim, ...target };
    });
    return electPrimary(members, previous, pool.roleConfirm);
  }
}
