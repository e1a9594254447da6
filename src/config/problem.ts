// ConfigProblem: one thing that is wrong with a file, and where; and how people see it:
//   file:line:column  path  message  CODE
//   the source line, and a caret below the fault
import type { ErrorCode } from '../errors.js';

/** Keys and list indices from the top of the file. */
export type Path = readonly (string | number)[];

export interface ConfigProblem {
  readonly severity: 'error' | 'warning';
  readonly code: ErrorCode;
  readonly file: string;
  /** From 1; 0 when the file could not be read at all. Columns count UTF-16 units, as editors. */
  readonly line: number;
  readonly column: number;
  /** As `pools.web.targets[2].weight`; empty when no key is meant. */
  readonly path: string;
  readonly message: string;
  /** What was probably meant, as it would stand in the file. */
  readonly suggestion?: string;
  readonly sourceLine: string;
}

/** A problem with the file as a whole, which has no line. */
export function fileProblem(file: string, code: ErrorCode, message: string): ConfigProblem {
  return { severity: 'error', code, file, line: 0, column: 0, path: '', message, sourceLine: '' };
}

export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[A-Za-z0-9_-]+$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** By position; errors before warnings at the same place. */
export function compareProblems(a: ConfigProblem, b: ConfigProblem): number {
  return (
    a.line - b.line ||
    a.column - b.column ||
    a.severity.localeCompare(b.severity) ||
    a.code.localeCompare(b.code)
  );
}

export interface ProblemStyle {
  readonly colour: boolean;
}

/** Colours are for terminals, and NO_COLOR (no-color.org) switches them off there too. */
export function problemStyle(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): ProblemStyle {
  const refused = (environment.NO_COLOR ?? '') !== '' || environment.TERM === 'dumb';
  return { colour: stream.isTTY === true && !refused };
}

const sgr = {
  red: '\x1b[31m',
  yellow: '\x1b[33m',
  bold: '\x1b[1m',
  dim: '\x1b[2m',
  end: '\x1b[0m',
};

export function formatProblem(problem: ConfigProblem, style: ProblemStyle): string {
  const paint = (kind: keyof typeof sgr, text: string) =>
    style.colour && text !== '' ? `${sgr[kind]}${text}${sgr.end}` : text;
  const hue = problem.severity === 'error' ? 'red' : 'yellow';
  const place =
    problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  const ask = problem.suggestion === undefined ? '' : `; did you mean ${problem.suggestion}?`;
  const warning = problem.severity === 'warning' ? 'warning: ' : '';
  const head = [
    paint('bold', visible(place)),
    visible(problem.path),
    paint(hue, visible(`${warning}${problem.message}${ask}`)),
    paint('dim', problem.code),
  ]
    .filter((part) => part !== '')
    .join('  ');
  if (problem.line === 0) return head;
  const { text, caret } = excerpt(problem.sourceLine, problem.column);
  return `${head}\n${indent}${text}\n${indent}${paint(hue, `${' '.repeat(caret)}^`)}`;
}

export function formatProblems(problems: readonly ConfigProblem[], style: ProblemStyle): string {
  return problems.map((problem) => `${formatProblem(problem, style)}\n`).join('');
}

const indent = '    ';
const excerptChars = 96;

/** The part of a long line around the column, and where the caret belongs below it. */
function excerpt(line: string, column: number): { readonly text: string; readonly caret: number } {
  const at = Math.min(column - 1, line.length);
  const start = at < excerptChars - 16 ? 0 : at - excerptChars / 2;
  const before = (start > 0 ? '...' : '') + visible(line.slice(start, at));
  const tail = line.slice(at, start + excerptChars);
  const after = visible(tail) + (start + excerptChars < line.length ? '...' : '');
  return { text: (before + after).trimEnd(), caret: displayWidth(before) };
}

/** A file may hold terminal escapes; they must not reach the terminal. A tab becomes one space. */
function visible(text: string): string {
  return text.replaceAll('\t', ' ').replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029\p{Cs}]/gu, '\ufffd');
}

/** Columns on a terminal: wide East Asian characters and emoji take two, combining marks none. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mn}|\p{Me}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
