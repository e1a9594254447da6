// Refusal: the one form in which the admin API says no, whatever the reason.
import type { Context } from 'hono';
import { z } from 'zod';
import { type ErrorCode, errorTable } from '../errors.js';
import type { ChangeProblem } from '../model/config-change.js';

const codes = Object.keys(errorTable) as [ErrorCode, ...ErrorCode[]];

/** Of a configuration that is refused, or would be. */
export const problemSchema = z.strictObject({
  line: z.int().meta({ description: 'From 1; 0: of no line.' }),
  column: z.int(),
  path: z.string(),
  message: z.string(),
  code: z.string(),
});

/** More problems than these help nobody. */
export const problemsMax = 100;

export const refusalSchema = z
  .strictObject({
    error: z.string().meta({ description: 'What is wrong, for people.' }),
    code: z.enum(codes).meta({ description: 'What is wrong, for programs: see docs/errors.md.' }),
    problems: z
      .array(problemSchema)
      .optional()
      .meta({ description: 'What is wrong with the configuration that a change would make.' }),
  })
  .meta({ id: 'Refusal' });

export type RefusalStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 409
  | 412
  | 413
  | 415
  | 422
  | 429
  | 500
  | 503;

export function refuse(
  context: Context,
  status: RefusalStatus,
  code: ErrorCode,
  error: string,
  problems: readonly ChangeProblem[] = [],
): Response {
  const detail = problems.length === 0 ? {} : { problems: problems.slice(0, problemsMax) };
  return context.json({ error, code, ...detail } satisfies z.infer<typeof refusalSchema>, status);
}
