// StateSection: one part of what survives a restart. Whoever has such a part makes a section of it
// and registers it where the load balancer is wired; the file does not know what is in it.
import type { z } from 'zod';

export interface StateSection {
  /** Its key in the file. */
  readonly name: string;
  /** What is true now, as JSON. Called whenever the file is written: keep it cheap and bounded. */
  save(): unknown;
  /**
   * Takes what an earlier process saved. Returns null when that is done, and otherwise why it was
   * not: then nothing has been taken.
   */
  restore(value: unknown, origin: StateOrigin): string | null;
}

/** Where restored values come from. */
export interface StateOrigin {
  /** Time since they were true. 0 when the clock has been set back since. */
  readonly ageMs: number;
}

export interface SectionOptions<Value> {
  readonly name: string;
  /** The file is not trusted: whatever does not fit this is refused as a whole. */
  readonly schema: z.ZodType<Value>;
  readonly save: () => Value;
  /** Takes only what still means something here: what names a target that is gone is dropped. */
  readonly restore: (value: Value, origin: StateOrigin) => void;
}

export function stateSection<Value>(options: SectionOptions<Value>): StateSection {
  const { name, schema, save, restore } = options;
  return {
    name,
    save,
    restore: (value, origin) => {
      const parsed = schema.safeParse(value);
      if (!parsed.success) {
        const [issue] = parsed.error.issues;
        return `${[name, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'not valid'}`;
      }
      restore(parsed.data, origin);
      return null;
    },
  };
}
