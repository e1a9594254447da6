// Located: a value from the file together with the places of itself and of everything inside it,
// so that any later finding about a path can be shown where it stands.
import type { ErrorCode } from '../errors.js';
import { type ConfigProblem, formatPath, type Path } from './problem.js';

export interface Located {
  /** Plain data: maps are objects without a prototype. */
  readonly value: unknown;
  /** Offset of the value in the text; null when nothing stands there (`key:`). */
  readonly at: number | null;
  /** Offset of the key that holds it; null for list items and the top. */
  readonly keyAt: number | null;
  readonly children: ReadonlyMap<string | number, Located>;
}

/** What a finding points at: the value at its path, or the key in front of it. */
export type Aim = 'value' | 'key';

export interface Place {
  readonly line: number;
  readonly column: number;
  readonly sourceLine: string;
}

export interface Finding {
  readonly severity?: 'error' | 'warning';
  readonly code: ErrorCode;
  readonly path: Path;
  readonly aim?: Aim;
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** The text of one file, asked by offset. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
  place(offset: number): Place;
  problemAt(offset: number, code: ErrorCode, message: string, suggestion?: string): ConfigProblem;
}

export function sourceText(file: string, text: string): SourceText {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  function place(offset: number): Place {
    const at = Math.min(Math.max(offset, 0), text.length);
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) <= at) low = middle;
      else high = middle;
    }
    const start = starts[low] ?? 0;
    const sourceLine = text.slice(start, starts[low + 1] ?? text.length).replace(/\r?\n?$/, '');
    return { line: low + 1, column: at - start + 1, sourceLine };
  }
  return {
    file,
    text,
    place,
    problemAt(offset, code, message, suggestion) {
      const { line, column, sourceLine } = place(offset);
      const problem = { severity: 'error', code, file, line, column, path: '', message } as const;
      return suggestion === undefined
        ? { ...problem, sourceLine }
        : { ...problem, sourceLine, suggestion };
    },
  };
}

/** Where `path` stands; the nearest part of it that exists, when it does not exist itself. */
export function offsetOf(root: Located, path: Path, aim: Aim): number {
  let node = root;
  let missing = false;
  for (const part of path) {
    const child = node.children.get(part);
    if (child === undefined) {
      missing = true;
      break;
    }
    node = child;
  }
  // What is missing is missing from the thing whose key this is.
  const preferred = missing || aim === 'key' ? (node.keyAt ?? node.at) : (node.at ?? node.keyAt);
  return preferred ?? 0;
}

export function problemOf(source: SourceText, root: Located, finding: Finding): ConfigProblem {
  const place = source.place(offsetOf(root, finding.path, finding.aim ?? 'value'));
  const problem = {
    severity: finding.severity ?? 'error',
    code: finding.code,
    file: source.file,
    line: place.line,
    column: place.column,
    path: formatPath(finding.path),
    message: finding.message,
    sourceLine: place.sourceLine,
  } as const;
  return finding.suggestion === undefined
    ? problem
    : { ...problem, suggestion: finding.suggestion };
}
