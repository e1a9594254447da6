// Place: a listener, a pool or a target as a path names it, and what to say where there is none.
import { z } from 'zod';

export const listenerParam = z.strictObject({ listener: z.string() });
export const poolParam = z.strictObject({ pool: z.string() });
export const targetParams = z.strictObject({ pool: z.string(), target: z.string() });

export const noListener = (listener: string): string =>
  `there is no listener ${JSON.stringify(listener)}`;

export const noPool = (pool: string): string => `there is no pool ${JSON.stringify(pool)}`;

export const noTarget = (pool: string, target: string): string =>
  `there is no target ${JSON.stringify(target)} in a pool ${JSON.stringify(pool)}`;
