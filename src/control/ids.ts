// Ids: gives every listener, pool and target a small integer slot that it keeps over reloads, so
// that its counters and connections do too. Pure: one set of ids and the keys that are wanted give
// the next set; whoever refuses that next set has changed nothing.

import { endpointOf, type ResolvedNames } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import { targetKey } from '../model/target-key.js';

export type SlotKind = 'listeners' | 'pools' | 'targets';

export interface Slots {
  readonly used: ReadonlyMap<string, number>;
  /**
   * Whose key is no longer wanted, but whose connections may still live. Such a slot is given to
   * nobody else, and its key gets it back when it returns.
   */
  readonly retired: ReadonlyMap<string, number>;
}

/** Listeners and pools by name, targets by targetKey. */
export type Ids = Readonly<Record<SlotKind, Slots>>;
export type Keys = Readonly<Record<SlotKind, readonly string[]>>;

export interface SlotRules {
  readonly limits: Readonly<Record<SlotKind, number>>;
  /** May connections or sessions still count on this slot? Asked of retired slots only. */
  readonly active: (kind: SlotKind, slot: number) => boolean;
}

export type IdsOutcome =
  | { readonly ok: true; readonly ids: Ids }
  | { readonly ok: false; readonly kind: SlotKind; readonly limit: number };

const none: Slots = { used: new Map(), retired: new Map() };
export const noIds: Ids = { listeners: none, pools: none, targets: none };

export interface TargetEntry {
  readonly key: string;
  readonly pool: string;
  readonly target: string;
}

/** Targets whose name has not been resolved are left out: there is nothing to connect to yet. */
export function targetEntries({ pools }: Config, names: ResolvedNames): readonly TargetEntry[] {
  const entries: TargetEntry[] = [];
  for (const pool of pools) {
    for (const { name, address } of pool.targets) {
      const endpoint = endpointOf(address, names);
      if (endpoint === null) continue;
      entries.push({ key: targetKey(pool.name, name, endpoint), pool: pool.name, target: name });
    }
  }
  return entries;
}

export function keysOf(config: Config, names: ResolvedNames): Keys {
  return {
    listeners: config.listeners.map(({ name }) => name),
    pools: config.pools.map(({ name }) => name),
    targets: targetEntries(config, names).map(({ key }) => key),
  };
}

/** Fails, and has changed nothing, when there are not enough slots of a kind. */
export function assignIds(previous: Ids, wanted: Keys, rules: SlotRules): IdsOutcome {
  const next: Partial<Record<SlotKind, Slots>> = {};
  for (const kind of ['listeners', 'pools', 'targets'] as const) {
    const limit = rules.limits[kind];
    const slots = assignSlots(previous[kind], wanted[kind], {
      limit,
      active: (slot) => rules.active(kind, slot),
    });
    if (slots === null) return { ok: false, kind, limit };
    next[kind] = slots;
  }
  const { listeners = none, pools = none, targets = none } = next;
  return { ok: true, ids: { listeners, pools, targets } };
}

function assignSlots(
  previous: Slots,
  wanted: readonly string[],
  rules: { readonly limit: number; readonly active: (slot: number) => boolean },
): Slots | null {
  const keep = new Set(wanted);
  // A slot that is given up now is not free yet: the table without it has still to be adopted.
  const retired = new Map<string, number>();
  for (const [key, slot] of previous.used) if (!keep.has(key)) retired.set(key, slot);
  for (const [key, slot] of previous.retired) {
    if (!keep.has(key) && rules.active(slot)) retired.set(key, slot);
  }
  const used = new Map<string, number>();
  for (const key of keep) {
    const slot = previous.used.get(key) ?? previous.retired.get(key);
    if (slot !== undefined) used.set(key, slot);
  }
  const taken = new Set([...used.values(), ...retired.values()]);
  let lowest = 0;
  for (const key of keep) {
    if (used.has(key)) continue;
    while (taken.has(lowest)) lowest++;
    if (lowest >= rules.limit) return null;
    used.set(key, lowest++);
  }
  return { used, retired };
}

/** Of listeners that are, and of removed ones whose connections are not all over. */
export function listenerSlots({ listeners }: Ids): readonly number[] {
  return [...listeners.used.values(), ...listeners.retired.values()];
}
