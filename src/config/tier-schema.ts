// The shape of a pool's rules about tiers.
import { z } from 'zod';
import { defaults } from './defaults.js';
import { fraction, integer } from './scalars.js';

export const tiersSchema = z.strictObject({
  overprovisioning: fraction(
    { min: 1, max: 10 },
    {
      description: 'How much more than its share of available targets a priority can take.',
      default: defaults.tiers.overprovisioning,
    },
  ).optional(),
  panic_threshold: integer(
    { min: 0, max: 100 },
    {
      description: 'Per cent of available targets below which health is not believed; 0 = never.',
      default: defaults.tiers.panicThreshold,
    },
  ).optional(),
});
