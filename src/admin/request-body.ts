// RequestBody: the body of an operation, as the document describes it.
import { z } from 'zod';

/** Of what takes nothing: an empty object, so that a body is JSON everywhere. */
export const nothing = z.strictObject({}).meta({ id: 'Nothing' });

/** Of an operation that takes JSON. */
export function bodyOf<S extends z.ZodType>(schema: S) {
  return { content: { 'application/json': { schema } }, required: true } as const;
}
