// How a pool tries again after a failed connect (TCP).
export interface RetryRules {
  /** The first retry goes to the target that has just failed, the others elsewhere. */
  readonly sameFirst: boolean;
  /** The pause before the n-th retry is at random up to base x 2^(n-1), at most max; 0: none. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** Retries of all workers, of the new connections of the last 10 s; both 0: no bound. */
  readonly budgetPercent: number;
  /** Allowed whatever the share is. */
  readonly budgetMinPerSecond: number;
}

export const plainRetries: RetryRules = {
  sameFirst: false,
  backoffBaseMs: 0,
  backoffMaxMs: 0,
  budgetPercent: 0,
  budgetMinPerSecond: 0,
};
