// tiers: how new connections are spread over the priorities of a pool. The rules of Envoy's pages
// on priority levels and panic thresholds: a priority gets more than it can serve only when nobody
// else can serve it.

/** What a share is a part of: basis points. */
export const wholeShare = 10_000;

/** One priority, the most preferred first. */
export interface Level {
  /** Targets that may be picked now: healthy, enabled, not ejected. */
  readonly available: number;
  /** Targets that the configuration has here, but for those of weight 0. */
  readonly total: number;
  /** Targets that could be picked if nothing measured counted: the operator's wishes still do. */
  readonly allowed: number;
}

export interface SpreadRules {
  /** How much more than its usual load a priority can take: 1.4 = 40 %. */
  readonly overprovisioning: number;
  /** Per cent of available targets below which health is not believed; 0 = it always is. */
  readonly panicThreshold: number;
}

export interface LevelShare {
  /** Of new connections, in basis points. Shares add up to the whole, or are all 0. */
  readonly share: number;
  /** All allowed targets are to be used, whatever was measured of them. */
  readonly panic: boolean;
}

/**
 * A priority can serve available/total x overprovisioning of the whole, at most the whole. What it
 * cannot goes to the next. When all together cannot serve the whole, each serves in proportion to
 * what it can, and those with too few available targets panic.
 *
 * All shares are 0 when nothing is available: then the caller decides.
 */
export function spreadShares(levels: readonly Level[], rules: SpreadRules): readonly LevelShare[] {
  const capacities = levels.map(({ available, total }) =>
    total === 0 ? 0 : Math.min(wholeShare, portion(available * rules.overprovisioning, total)),
  );
  const together = capacities.reduce((sum, capacity) => sum + capacity, 0);
  if (together === 0) return levels.map(() => ({ share: 0, panic: false }));
  const enough = together >= wholeShare;
  let left = wholeShare;
  const shares = capacities.map((capacity) => {
    const wanted = enough ? capacity : portion(capacity, together);
    const share = Math.min(left, wanted);
    left -= share;
    return share;
  });
  // Rounding down leaves a few basis points over: they are the first one's that takes any.
  const first = shares.findIndex((share) => share > 0);
  return levels.map(({ available, total }, index) => {
    const share = (shares[index] ?? 0) + (index === first ? left : 0);
    const panic = !enough && share > 0 && available * 100 < total * rules.panicThreshold;
    return { share, panic };
  });
}

/** When nothing is available and health is not believed: by the number of allowed targets. */
export function sharesByNumber(levels: readonly Level[]): readonly LevelShare[] {
  const all = levels.reduce((sum, { allowed }) => sum + allowed, 0);
  if (all === 0) return levels.map(() => ({ share: 0, panic: false }));
  let counted = 0;
  // By difference, so that what is rounded off is not lost.
  return levels.map(({ allowed }) => {
    const before = portion(counted, all);
    counted += allowed;
    return { share: portion(counted, all) - before, panic: allowed > 0 };
  });
}

/** Products of decimal fractions come out a little low or high: 0.5 x 1.4 is not quite 0.7. */
function portion(part: number, whole: number): number {
  return Math.floor((part * wholeShare) / whole + 1e-6);
}
