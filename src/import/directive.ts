// Directive: one statement of another program's configuration, taken apart into words that know
// where they stand. Both languages that are imported have this form; in one of them it has a block.

/** Lines and columns count from 1, columns in UTF-16 units, as editors. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Word extends Place {
  /** Quotes and escapes are taken off. */
  readonly text: string;
}

export interface Directive {
  /** At least one: the name. */
  readonly words: readonly [Word, ...Word[]];
  /** Statements inside; null where there is no block. */
  readonly block: readonly Directive[] | null;
}

export function nameOf(directive: Directive): string {
  return directive.words[0].text;
}

/** Name and first argument: enough to tell it from others. */
export function headOf({ words }: Directive): readonly [Word, ...Word[]] {
  const [first, second] = words;
  return second === undefined ? [first] : [first, second];
}

/** The nth argument as text; empty when there is none. */
export function argument(directive: Directive, index: number): string {
  return directive.words[index + 1]?.text ?? '';
}

/** All of it in one line, short enough for a message. */
export function textOf(words: readonly Word[]): string {
  return oneLine(words.map(({ text }) => text || '""').join(' '), 72);
}

/** Text of an imported file may hold escapes of terminals, or end a comment: neither may work. */
export function oneLine(text: string, charsMax: number): string {
  const clean = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufeff]+/gu, '\ufffd');
  return clean.length > charsMax ? `${clean.slice(0, charsMax)}...` : clean;
}
