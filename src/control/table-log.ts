// table-log: what the log says when a table was applied, or was not.
import type { Logger } from '../log/logger.js';
import { differences, type Plan, sizeOf } from './plan.js';
import type { Refusal } from './reload-outcome.js';

export interface AppliedTable {
  readonly plan: Plan;
  /** Of the table before; null: there was none. */
  readonly before: Plan | null;
  readonly generation: number;
  readonly durationMs: number;
  /** A new configuration, and not only the one in force with what has changed around it. */
  readonly isReload: boolean;
}

export function logApplied(
  log: Logger,
  { plan, before, generation, durationMs, isReload }: AppliedTable,
): void {
  log.event('table_applied', { ...sizeOf(plan), generation, durationMs });
  if (!isReload || before === null) return;
  log.event('reload_applied', { ...differences(before.ids, plan.ids), generation });
}

/** `retryMs` 0: it is not tried again. */
export function logRejected(
  log: Logger,
  { reason, error, listener, address }: Refusal,
  { generation, retryMs }: { readonly generation: number; readonly retryMs: number },
): void {
  const where = { listener: listener ?? '', address: address ?? '' };
  log.event('table_rejected', { generation, reason, ...where, error, retryMs });
}
