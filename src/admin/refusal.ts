// Refusal: the one form in which the admin API says no, whatever the reason.
import type { Context } from 'hono';
import { z } from 'zod';
import { type ErrorCode, errorTable } from '../errors.js';

const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

export const refusalSchema = z
  .strictObject({
    error: z.string().meta({ description: 'What is wrong, for people.' }),
    code: z.enum(codes).meta({ description: 'What is wrong, for programs: see docs/errors.md.' }),
  })
  .meta({ id: 'Refusal' });

export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 429 | 500;

export function refuse(
  context: Context,
  status: RefusalStatus,
  code: ErrorCode,
  error: string,
): Response {
  return context.json({ error, code } satisfies z.infer<typeof refusalSchema>, status);
}
