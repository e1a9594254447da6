// Parsed: what reading one text yields, a value or the reason why not. Nothing here throws for
// bad input; a file may hold a hundred bad texts and the user wants to hear of all of them.
import type { ErrorCode } from '../errors.js';

export interface TextProblem {
  readonly code: ErrorCode;
  readonly message: string;
  /** What the user probably meant, as it would stand in the file. */
  readonly suggestion?: string;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: TextProblem };

export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function refused(code: ErrorCode, message: string, suggestion?: string): Parsed<never> {
  const problem = suggestion === undefined ? { code, message } : { code, message, suggestion };
  return { ok: false, problem };
}

/** For a text that the schema has accepted already; anything else is a fault of ours. */
export function acceptedValue<T>(result: Parsed<T>): T {
  if (result.ok) return result.value;
  throw new Error(`accepted by the schema, refused later: ${result.problem.message}`);
}

const shownCharsMax = 48;

/** A value as messages show it: short, quoted, on one line. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return String(value);
  const cut = value.length > shownCharsMax ? `${value.slice(0, shownCharsMax)}...` : value;
  return JSON.stringify(cut);
}
