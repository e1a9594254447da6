// The shape of a pool's rules about trying again after a failed connect.
import { z } from 'zod';
import { defaults } from './defaults.js';
import { duration, either, integer, word } from './scalars.js';

/** kBackoffMsMax in native/table/pool.h. */
const pauseRules = { minMs: 1, maxMs: 60_000 } as const;

const backoffSchema = z.strictObject({
  base: duration(pauseRules, {
    description: 'The first pause is at random up to this; each further one up to twice as much.',
    default: defaults.backoff.base,
  }).optional(),
  max: duration(pauseRules, {
    description: 'The longest pause.',
    default: defaults.backoff.max,
  }).optional(),
});

const budgetSchema = z.strictObject({
  percent: integer(
    { min: 0, max: 100 },
    {
      description: 'Retries, of the new connections of the last 10 seconds, over all workers.',
      default: defaults.retryBudget.percent,
    },
  ).optional(),
  min_per_second: integer(
    { min: 0, max: 1_000_000 },
    {
      description: 'Retries per second that are allowed whatever the share is.',
      default: defaults.retryBudget.minPerSecond,
    },
  ).optional(),
});

export const retrySchema = z.strictObject({
  to: word(['other', 'same_first'], {
    description: 'Retries go to other targets, or the first one to the same target.',
    default: defaults.retry.to,
  }).optional(),
  backoff: either(word(['off'], { description: 'At once.' }), backoffSchema, {
    description: 'A pause before each retry.',
    defaultText: 'off, or with `to: same_first` a map of defaults',
  }).optional(),
  budget: either(word(['off'], { description: 'No bound but retries.' }), budgetSchema, {
    description: 'Bounds the retries of all connections together.',
    default: defaults.retry.budget,
  }).optional(),
});
