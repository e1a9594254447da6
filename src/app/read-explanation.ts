// An explanation as the admin API has sent it, for the command line.
import { explanationSchema } from '../admin/explain-schema.js';
import type { Explanation } from '../model/explanation.js';

export type { ExplainedTarget, Explanation } from '../model/explanation.js';

/** null: it is none; another version of sluice may have answered. */
export function readExplanation(body: object): Explanation | null {
  return explanationSchema.safeParse(body).data ?? null;
}
