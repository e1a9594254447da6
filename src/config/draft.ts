// Draft: what is left of a file when everything that the schema refused is taken out. The rules
// run on it, so that one bad value does not hide the faults of all others.
import type { Finding } from './located.js';
import type { FileConfig } from './schema.js';

type DraftOf<T> = T extends readonly (infer Item)[]
  ? readonly (DraftOf<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: DraftOf<T[Key]> | undefined }
    : T;

/** Anything may be missing; what is there has the right shape. */
export type Draft = DraftOf<FileConfig>;

/** Lists keep their indices: a refused item leaves a hole. Never changes `value`. */
export function draftOf(value: unknown, findings: readonly Finding[]): Draft {
  const refused: Refused = { here: false, below: new Map() };
  for (const finding of findings) {
    let node = refused;
    for (const part of finding.path) {
      const next = node.below.get(part) ?? { here: false, below: new Map() };
      node.below.set(part, next);
      node = next;
    }
    node.here = true;
  }
  return (prune(value, refused) ?? {}) as Draft;
}

interface Refused {
  here: boolean;
  readonly below: Map<string | number, Refused>;
}

function prune(value: unknown, refused: Refused | undefined): unknown {
  if (refused?.here === true) return undefined;
  // Parts without faults are shared, not copied.
  if (refused === undefined || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    return value.map((item, index) => prune(item, refused.below.get(index)));
  }
  const result: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) {
    result[key] = prune(item, refused.below.get(key));
  }
  return result;
}
