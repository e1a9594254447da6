// Schemas of what the admin API tells of a running sluice: model/status.ts, field by field, for the
// document and for the tests that hold every answer to it.
import { z } from 'zod';
import { ejectionReasons } from '../model/ejection.js';
import { policyNames } from '../model/policy.js';
import type {
  ListenerStatus,
  PoolStatus,
  Status,
  TargetStatus,
  TierStatus,
  WorkerStatus,
} from '../model/status.js';

const count = z.int().min(0);
const milliseconds = z.number().min(0);
const time = z.iso.datetime();
const totals = z.record(z.string(), z.number()).meta({ description: 'Counters by name.' });
const adminState = z.enum(['enabled', 'draining', 'disabled']);

const distributionSchema = z.strictObject({
  count,
  sum: z.number().min(0),
  below: z.array(count),
});

export const listenerSchema: z.ZodType<ListenerStatus> = z
  .strictObject({
    name: z.string(),
    protocol: z.enum(['tcp', 'udp']),
    pool: z.string(),
    addresses: z.array(z.string()),
    active: count,
    maxConnections: count,
    totals,
    closed: totals,
    ends: z.strictObject({
      durationMs: distributionSchema,
      toTargetBytes: distributionSchema,
      toClientBytes: distributionSchema,
    }),
  })
  .meta({ id: 'Listener' });

const agentSchema = z.strictObject({
  weight: z.strictObject({ kind: z.enum(['share', 'weight']), value: z.number() }).nullable(),
  maxConnections: count.nullable(),
  adminState: adminState.nullable(),
  up: z.boolean().nullable(),
});

const ejectionSchema = z.strictObject({
  reason: z.enum(ejectionReasons),
  since: time,
  until: time,
});

const drainSchema = z.strictObject({
  cause: z.enum(['operator', 'down']),
  phase: z.enum(['waiting', 'closing', 'finished']),
  since: time,
  deadline: time.nullable(),
  closed: count,
});

const responsesSchema = z.strictObject({
  turns: count,
  recentMs: milliseconds.nullable(),
  sumMs: milliseconds,
  p50Ms: milliseconds.nullable(),
  p95Ms: milliseconds.nullable(),
  p99Ms: milliseconds.nullable(),
  below: z.array(count),
});

export const targetSchema: z.ZodType<TargetStatus> = z
  .strictObject({
    name: z.string(),
    address: z.string(),
    resolved: z.string().nullable(),
    weight: z.number(),
    effectiveWeight: z.number(),
    agent: agentSchema.nullable(),
    priority: count.nullable(),
    backup: z.boolean(),
    health: z.enum(['healthy', 'unhealthy', 'unknown']),
    healthReason: z.string(),
    healthDetail: z.string(),
    certificateExpires: time.nullable(),
    role: z.enum(['primary', 'replica', '']),
    healthSince: time.nullable(),
    probeLatencyMs: milliseconds.nullable(),
    adminState,
    ejection: ejectionSchema.nullable(),
    drain: drainSchema.nullable(),
    eligible: z.boolean(),
    active: count,
    activeTurns: count,
    responses: responsesSchema,
    connects: distributionSchema,
    maxConnections: count,
    totals,
  })
  .meta({ id: 'Target' });

const tierSchema: z.ZodType<TierStatus> = z.strictObject({
  priority: count.nullable(),
  candidates: count,
  configured: count,
  share: z.number().min(0).max(1),
  panic: z.boolean(),
});

const poolFields = {
  name: z.string(),
  policy: z.enum(policyNames),
  healthCheck: z.string(),
  role: z.enum(['any', 'primary', 'replica']),
  tiers: z.array(tierSchema),
  sticky: z.strictObject({ entries: count, capacity: count }).nullable(),
  totals,
};

export const poolSchema: z.ZodType<PoolStatus> = z
  .strictObject({ ...poolFields, targets: z.array(targetSchema) })
  .meta({ id: 'PoolWithTargets' });

export const poolSummarySchema = z
  .strictObject({
    ...poolFields,
    active: count.meta({ description: 'Connections and sessions open now.' }),
    targets: z
      .strictObject({
        configured: count,
        eligible: count,
        healthy: count,
        unhealthy: count,
        unknown: count,
        draining: count,
        disabled: count,
        ejected: count,
      })
      .meta({ description: 'How many of its targets are what; one may be several.' }),
  })
  .meta({ id: 'Pool' });

const workerSchema: z.ZodType<WorkerStatus> = z.strictObject({ index: count, totals });

export type StatusAnswer = Status & {
  readonly version: string;
  readonly ready: boolean;
  readonly missing: readonly string[];
};

export const statusSchema: z.ZodType<StatusAnswer> = z
  .strictObject({
    version: z.string(),
    ready: z.boolean(),
    missing: z.array(z.string()),
    generation: z.strictObject({ wanted: count, applied: count }),
    listeners: z.array(listenerSchema),
    pools: z.array(poolSchema),
    workers: z.array(workerSchema),
    eventsDropped: count,
  })
  .meta({ id: 'Status' });
