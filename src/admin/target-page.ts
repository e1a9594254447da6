// TargetPage: a few of many targets: those that fit a filter, sorted, from an offset on. Pure.
import { z } from 'zod';
import type { TargetStatus } from '../model/status.js';

const limitMax = 1000;

const sorts = {
  name: (a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)),
  active: (a, b) => a.active - b.active,
  weight: (a, b) => a.effectiveWeight - b.effectiveWeight,
  p99: (a, b) => (a.responses.p99Ms ?? -1) - (b.responses.p99Ms ?? -1),
} satisfies Record<string, (a: TargetStatus, b: TargetStatus) => number>;

const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** Of the query string of a list of targets. */
export const targetQuery = z.strictObject({
  offset: wholeNumber(0, 1_000_000).default(0),
  limit: wholeNumber(1, limitMax).default(100),
  sort: z
    .enum(Object.keys(sorts) as (keyof typeof sorts)[])
    .optional()
    .meta({ description: 'By default the order of the file.' }),
  order: z.enum(['asc', 'desc']).default('asc'),
  health: z.enum(['healthy', 'unhealthy', 'unknown']).optional(),
  adminState: z.enum(['enabled', 'draining', 'disabled']).optional(),
  eligible: z.enum(['true', 'false']).optional(),
  search: z
    .string()
    .max(128)
    .optional()
    .meta({ description: 'In the name or the address, as it is written there.' }),
});

export interface TargetPage {
  /** That fit, on all pages. */
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly targets: readonly TargetStatus[];
}

export function pageOf(
  targets: readonly TargetStatus[],
  query: z.output<typeof targetQuery>,
): TargetPage {
  const { offset, limit, sort, order, health, adminState, eligible, search } = query;
  const fitting = targets.filter(
    (target) =>
      (health === undefined || target.health === health) &&
      (adminState === undefined || target.adminState === adminState) &&
      (eligible === undefined || target.eligible === (eligible === 'true')) &&
      (search === undefined || target.name.includes(search) || target.address.includes(search)),
  );
  if (sort !== undefined) fitting.sort(sorts[sort]);
  if (order === 'desc') fitting.reverse();
  const page = fitting.slice(offset, offset + limit);
  return { total: fitting.length, offset, limit, targets: page };
}
