// Schemas of what the admin API tells of the last hour: model/history.ts and model/overview.ts.
import { z } from 'zod';
import { type History, historyWindows } from '../model/history.js';
import type { OverviewAnswer, Rates } from '../model/overview.js';
import { standings } from '../model/placement.js';
import { policyNames } from '../model/policy.js';

const value = z.number().nullable();
const series = z.array(value);

const rateNames = [
  'active',
  'openedPerSecond',
  'toTargetBytesPerSecond',
  'toClientBytesPerSecond',
  'errorsPerSecond',
  'p50Ms',
  'p95Ms',
  'p99Ms',
] as const satisfies readonly (keyof Rates)[];

function each<S extends z.ZodType>(schema: S): Record<(typeof rateNames)[number], S> {
  return Object.fromEntries(rateNames.map((name) => [name, schema])) as Record<
    (typeof rateNames)[number],
    S
  >;
}

export const historySchema: z.ZodType<History> = z
  .strictObject({
    subject: z.string(),
    window: z.enum(historyWindows),
    endMs: z.array(z.int()).meta({ description: 'When each step ended, in Unix milliseconds.' }),
    ...each(series),
    eligible: series.meta({ description: 'Targets that may be picked: of pools and the total.' }),
    standing: z
      .array(z.enum(standings).nullable())
      .nullable()
      .meta({ description: 'The gravest of each step; null unless it is a target.' }),
  })
  .meta({ id: 'History', description: 'null: nothing was there, or nothing was measured.' });

const rates = each(value);

export const overviewSchema: z.ZodType<OverviewAnswer> = z
  .strictObject({
    version: z.string(),
    ready: z.boolean(),
    missing: z.array(z.string()),
    fileRefused: z.boolean().meta({
      description: 'The last reload found the file to be of no use: see `refused` of the config.',
    }),
    total: z.strictObject(rates),
    listeners: z.array(
      z.strictObject({
        name: z.string(),
        protocol: z.enum(['tcp', 'udp']),
        pool: z.string(),
        addresses: z.array(z.string()),
        ...rates,
      }),
    ),
    pools: z.array(
      z.strictObject({
        name: z.string(),
        policy: z.enum(policyNames),
        ...rates,
        targets: z.array(
          z.strictObject({
            name: z.string(),
            address: z.string(),
            standing: z.enum(standings),
            eligible: z.boolean(),
            weight: z.number(),
            ...rates,
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Overview' });
