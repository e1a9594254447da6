// elect-primary: which target of a pool with `role: primary` gets the connections. Pure. The rule
// behind all others: connections of the present one are cut only when another one is sure to be the
// primary, and never because a check has failed.
import type { Health, Role } from '../model/target.js';

/** What the probes of one target have said of its role so far. */
export interface Claim {
  /** Of its last good probe. null: it said none, or has not been asked. */
  readonly role: Role | null;
  /** Good probes in a row up to now that said `primary`. */
  readonly confirmed: number;
}

/** A target as it is without its role. */
export interface PoolMember {
  readonly key: string;
  readonly health: Health;
  /** Neither an operator nor the configuration keeps new connections from it. */
  readonly wanted: boolean;
}

export interface Member extends Claim, PoolMember {
  /** A probe has ended, good or bad. */
  readonly asked: boolean;
}

export interface Election {
  /** null: there is none yet. */
  readonly primary: string | null;
  /** Others that are confirmed too, while the present one stands: a split brain. */
  readonly rivals: readonly string[];
}

export function afterAnswer(claim: Claim, answer: { ok: boolean; role: Role | null }): Claim {
  // A failed check unsays nothing; only the count has to begin anew.
  if (!answer.ok) return { ...claim, confirmed: 0 };
  const confirmed = answer.role === 'primary' ? claim.confirmed + 1 : 0;
  return { role: answer.role, confirmed };
}

/**
 * - The present one stands as long as it is wanted, not unhealthy, and its last good probe said no
 *   other role. One that stands is kept, whoever else claims to be the primary.
 * - One that has fallen stays the present one, with its connections, until another is confirmed
 *   `confirm` times in a row.
 * - Without a present one there is nothing to protect: the first in the file that claims it, once
 *   every target has been asked, or one that is confirmed before that.
 * - Who is not wanted is never elected, nor waited for: a disabled target is not even asked.
 */
export function electPrimary(
  members: readonly Member[],
  present: string | null,
  confirm: number,
): Election {
  const claimants = members.filter(({ role, health, wanted }) => {
    return wanted && role === 'primary' && health !== 'unhealthy';
  });
  const confirmed = claimants.filter((member) => member.confirmed >= confirm);
  const holder = members.find(({ key }) => key === present);
  if (!holder) {
    const ready = members.every(({ asked, wanted }) => asked || !wanted) ? claimants : confirmed;
    const primary = ready[0]?.key ?? null;
    return { primary, rivals: keysOf(confirmed, primary) };
  }
  const isOut = holder.health === 'unhealthy' || !holder.wanted;
  const hasFallen = isOut || (holder.asked && holder.role !== 'primary');
  const successor = hasFallen ? confirmed.find(({ key }) => key !== holder.key) : undefined;
  const primary = successor?.key ?? holder.key;
  return { primary, rivals: hasFallen && !successor ? [] : keysOf(confirmed, primary) };
}

function keysOf(members: readonly Member[], but: string | null): readonly string[] {
  return members.flatMap(({ key }) => (key === but ? [] : [key]));
}
