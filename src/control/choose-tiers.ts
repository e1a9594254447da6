// choose-tiers: who may be picked in one pool, and in which order. The rules of src/balance/tiers
// applied to what is configured, measured and wished.
import { type Level, type LevelShare, sharesByNumber, spreadShares } from '../balance/tiers.js';
import type { Pool } from '../model/pool.js';
import { eligible } from '../model/target.js';
import type { TargetState } from './target-states.js';

/** Candidates of one rank. Members are indices into the states, in the order of the file. */
export interface ChosenTier {
  /** null: backups. */
  readonly priority: number | null;
  readonly members: readonly number[];
  /** Of new connections that begin here, in basis points; 0 = only when no earlier tier can. */
  readonly share: number;
  /** Members were taken whatever was measured of them. */
  readonly panic: boolean;
  /** Targets that the configuration has for the tier, eligible or not. */
  readonly configured: number;
}

/** kTiersMax in native/policy/candidate.h. */
export const tiersMax = 32;

/**
 * The tiers that have candidates: priorities in their order, backups behind them. When nothing is
 * available, backups included, `when_none_healthy` decides: `refuse` and `park` leave the pool
 * empty (by TablePool.park the engine knows what to do with those who come);
 * `use_all` disregards what was measured (but not the operator's wishes, nor a weight of 0) and
 * takes all priorities by their number of targets, or all backups in a pool that has no other. A
 * panic threshold above 0 means the same as `use_all` for such a moment.
 */
export function chooseTiers(pool: Pool, states: readonly TargetState[]): readonly ChosenTier[] {
  const ranks = ranksOf(pool, states);
  const backups = indicesOf(states, ({ target }) => target.backup);
  const available = backups.filter((index) => isAvailable(states[index]));
  const spread = spreadShares(ranks, pool.tiers);
  if (available.length > 0 || spread.some(({ share }) => share > 0)) {
    return [
      ...priorityTiers(ranks, spread),
      ...backupTiers(pool, ranks.length, backups.length, available),
    ];
  }
  if (pool.whenNoneHealthy !== 'use_all' && pool.tiers.panicThreshold === 0) return [];
  const all = priorityTiers(ranks, sharesByNumber(ranks));
  if (all.length > 0) return all;
  const allowed = backups.filter((index) => isAllowed(states[index]));
  return backupTiers(pool, 0, backups.length, allowed).map((tier) => ({ ...tier, panic: true }));
}

/** One priority with its targets. */
interface Rank extends Level {
  readonly priority: number;
  readonly configured: number;
  readonly availableMembers: readonly number[];
  readonly allowedMembers: readonly number[];
}

function ranksOf(pool: Pool, states: readonly TargetState[]): readonly Rank[] {
  const primaries = pool.targets.filter(({ backup }) => !backup);
  const priorities = [...new Set(primaries.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.map((priority): Rank => {
    const here = indicesOf(states, ({ target }) => !target.backup && target.priority === priority);
    const availableMembers = here.filter((index) => isAvailable(states[index]));
    const allowedMembers = here.filter((index) => isAllowed(states[index]));
    return {
      priority,
      configured: here.length,
      availableMembers,
      allowedMembers,
      available: availableMembers.length,
      allowed: allowedMembers.length,
      // A primary is no loss of a pool of replicas: only what is in its role counts.
      total: here.filter((index) => countsIn(states[index])).length,
    };
  });
}

function priorityTiers(
  ranks: readonly Rank[],
  shares: readonly LevelShare[],
): readonly ChosenTier[] {
  const tiers = ranks.map(({ priority, configured, ...rank }, index): ChosenTier => {
    const { share, panic } = shares[index] ?? { share: 0, panic: false };
    const members = panic ? rank.allowedMembers : rank.availableMembers;
    return { priority, members, share, panic, configured };
  });
  return tiers.filter(({ members }) => members.length > 0);
}

/** `one`: each a tier of its own, as long as there is room; the last tier takes all that remain. */
function backupTiers(
  pool: Pool,
  before: number,
  configured: number,
  members: readonly number[],
): readonly ChosenTier[] {
  const tier = (some: readonly number[], count: number): ChosenTier => {
    return { priority: null, members: some, share: 0, panic: false, configured: count };
  };
  if (members.length === 0) return [];
  if (pool.backups === 'all') return [tier(members, configured)];
  const alone = members.slice(0, tiersMax - before - 1);
  const rest = members.slice(alone.length);
  const singles = alone.map((member) => tier([member], 1));
  return rest.length === 0 ? singles : [...singles, tier(rest, rest.length)];
}

function indicesOf(
  states: readonly TargetState[],
  rule: (state: TargetState) => boolean,
): readonly number[] {
  return states.flatMap((state, index) => (rule(state) ? [index] : []));
}

function countsIn(state: TargetState | undefined): boolean {
  return state?.inRole === true && state.weight > 0;
}

function isAvailable(state: TargetState | undefined): boolean {
  if (!state?.record || !state.inRole) return false;
  const { health, adminState, ejection, weight } = state;
  return eligible({ health, adminState, ejected: ejection !== null, weight });
}

function isAllowed(state: TargetState | undefined): boolean {
  if (!state?.record || !state.inRole) return false;
  const { adminState, weight } = state;
  return eligible({ health: 'unknown', adminState, ejected: false, weight });
}
