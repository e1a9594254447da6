// The lines of an HAProxy configuration as words: quotes, escapes, comments, variables of the
// environment. Measured on HAProxy 2.6: quotes end on their line, and variables count only between
// double quotes. A backslash at the end of a line, which HAProxy refuses, joins the next one: so
// long lines are printed in its manual.
import type { Place, Word } from './directive.js';

export interface UnreadableLine extends Place {
  readonly subject: string;
  readonly why: string;
}

export interface HaproxyLine {
  readonly words: readonly [Word, ...Word[]];
}

/** Value of a variable, or undefined where there is none. */
export type Environment = (name: string) => string | undefined;

interface Reader {
  readonly text: string;
  /** Where each logical line's characters stand. */
  readonly placeOf: (index: number) => Place;
  readonly environment: Environment;
  readonly fail: (index: number, why: string) => void;
}

/** One logical line to its words. Faults are told, and reading goes on behind them. */
function readWords(reader: Reader): readonly Word[] {
  const { text } = reader;
  const words: Word[] = [];
  let index = 0;
  while (index < text.length) {
    const character = text[index] ?? '';
    if (/\s/.test(character)) {
      index++;
      continue;
    }
    if (character === '#') break;
    const start = index;
    let word = '';
    while (index < text.length && !/[\s#]/.test(text[index] ?? '')) {
      const piece = readPiece(reader, index);
      word += piece.text;
      index = piece.end;
    }
    words.push({ text: word, ...reader.placeOf(start) });
  }
  return words;
}

interface Piece {
  readonly text: string;
  readonly end: number;
}

function readPiece(reader: Reader, index: number): Piece {
  const { text } = reader;
  const character = text[index] ?? '';
  if (character === '\\') return readEscape(reader, index);
  if (character === "'") {
    const end = text.indexOf("'", index + 1);
    if (end < 0) return unterminated(reader, index);
    return { text: text.slice(index + 1, end), end: end + 1 };
  }
  if (character === '"') return readWeakQuotes(reader, index);
  return { text: character, end: index + 1 };
}

function unterminated(reader: Reader, index: number): Piece {
  reader.fail(index, 'this quote has no end on its line');
  return { text: reader.text.slice(index + 1), end: reader.text.length };
}

function readWeakQuotes(reader: Reader, start: number): Piece {
  const { text } = reader;
  let value = '';
  let index = start + 1;
  while (index < text.length) {
    const character = text[index] ?? '';
    if (character === '"') return { text: value, end: index + 1 };
    const piece =
      character === '\\'
        ? readEscape(reader, index)
        : character === '$'
          ? readVariable(reader, index)
          : { text: character, end: index + 1 };
    value += piece.text;
    index = piece.end;
  }
  return unterminated(reader, start);
}

const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

function readEscape({ text, fail }: Reader, index: number): Piece {
  const next = text[index + 1];
  if (next === undefined) return { text: '\\', end: index + 1 };
  if (next === 'x') {
    const hex = /^[0-9a-fA-F]{2}/.exec(text.slice(index + 2, index + 4))?.[0];
    if (hex !== undefined) {
      return { text: String.fromCharCode(Number.parseInt(hex, 16)), end: index + 4 };
    }
    fail(index, '\\x needs two hexadecimal digits');
    return { text: '', end: index + 2 };
  }
  const letter = letters[next];
  if (letter !== undefined) return { text: letter, end: index + 2 };
  if (/[\s\\#'"$]/.test(next)) return { text: next, end: index + 2 };
  return { text: `\\${next}`, end: index + 2 };
}

/** `$NAME`, `${NAME}`, `${NAME-what else}`, `${NAME[*]}`. */
function readVariable({ text, environment, fail }: Reader, index: number): Piece {
  const rest = text.slice(index + 1, index + 512);
  const match =
    /^\{([A-Za-z_.]\w*)(?:\[\*\])?(?:-([^}]*))?\}/.exec(rest) ?? /^(\.?[A-Za-z_]\w*)/.exec(rest);
  const [whole, name, otherwise] = match ?? [];
  if (whole === undefined || name === undefined) {
    fail(index, 'this is no variable: write \\$ for a dollar sign');
    return { text: '$', end: index + 1 };
  }
  const value = environment(name) ?? otherwise;
  if (value === undefined) fail(index, `the environment variable ${name} is not set here`);
  return { text: value ?? '', end: index + 1 + whole.length };
}

/** HAProxy's own bounds: 2048 bytes and 64 words. These leave room for joined lines. */
const lineCharsMax = 65_536;

/** Calls `take` for each line that has words, in order: `take` may change the environment. */
export function readHaproxyLines(
  text: string,
  environment: Environment,
  take: (line: HaproxyLine) => void,
  fail: (fault: UnreadableLine) => void,
): void {
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index++) {
    const first = index;
    let joined = lines[index] ?? '';
    const starts = [0];
    // A doubled backslash is a backslash, and ends nothing.
    while (/(^|[^\\])(\\\\)*\\$/.test(joined) && index + 1 < lines.length) {
      joined = joined.slice(0, -1);
      if (joined.length > lineCharsMax) break;
      starts.push(joined.length);
      index++;
      joined += lines[index] ?? '';
    }
    const placeOf = (at: number): Place => {
      const row = starts.findLastIndex((start) => start <= at);
      return { line: first + 1 + row, column: at - (starts[row] ?? 0) + 1 };
    };
    const words = readWords({
      text: joined,
      placeOf,
      environment,
      fail: (at, why) => fail({ ...placeOf(at), subject: joined.trim().slice(0, 72), why }),
    });
    const [head, ...others] = words;
    if (head !== undefined) take({ words: [head, ...others] });
  }
}
