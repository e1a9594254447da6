// Schema of an explanation: model/explanation.ts, field by field, for the document and for those
// who read an answer.
import { z } from 'zod';
import { type Explanation, whyNotKinds } from '../model/explanation.js';
import { forecastOutcomes, stickySteps } from '../model/forecast.js';
import { policyNames } from '../model/policy.js';

const count = z.int().min(0);
const outcome = z.enum(forecastOutcomes);
const name = z.string().nullable();

const targetSchema = z.strictObject({
  name: z.string(),
  address: z.string(),
  candidate: z.boolean().meta({ description: 'It may get new clients.' }),
  picked: z.boolean(),
  priority: count.nullable().meta({ description: 'null: a backup.' }),
  weight: z.number(),
  active: count.meta({ description: 'Connections and sessions open.' }),
  maxConnections: count.meta({ description: '0: no limit.' }),
  score: z.number().nullable().meta({ description: 'See scoreIs; smaller is better.' }),
  whyNot: z
    .strictObject({ kind: z.enum(whyNotKinds), text: z.string() })
    .nullable()
    .meta({ description: 'null: this is the one.' }),
});

export const explanationSchema: z.ZodType<Explanation> = z
  .strictObject({
    listener: z.string(),
    protocol: z.enum(['tcp', 'udp']),
    pool: z.string(),
    policy: z.enum(policyNames),
    worker: count.meta({ description: 'Whose next pick this is.' }),
    generation: count,
    outcome,
    target: name.meta({ description: 'null: it would get none now.' }),
    reason: z.string().meta({ description: 'The choice and its reason, for people.' }),
    sticky: z.strictObject({ step: z.enum(stickySteps), target: name }).nullable(),
    panic: z.boolean(),
    scoreIs: z.string().nullable(),
    waiting: count,
    notes: z.array(z.string()),
    targets: z.array(targetSchema),
    workers: z.array(z.strictObject({ worker: count, outcome, target: name })),
  })
  .meta({ id: 'Explanation' });
