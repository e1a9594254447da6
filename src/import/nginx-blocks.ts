// An nginx configuration as a tree of statements: words, quotes, escapes, `${variables}`, blocks.
// Faults are told, and reading goes on behind them.
import type { Directive, Place, Word } from './directive.js';

export interface NginxFault extends Place {
  readonly subject: string;
  readonly why: string;
}

export interface NginxFile {
  readonly directives: readonly Directive[];
  readonly faults: readonly NginxFault[];
}

interface OpenBlock {
  readonly head: readonly [Word, ...Word[]] | null;
  readonly inside: Directive[];
}

/** No sensible file nests deeper; what is deeper is told and left out. */
const depthMax = 32;

export function readBlocks(text: string): NginxFile {
  const faults: NginxFault[] = [];
  const root: Directive[] = [];
  const open: OpenBlock[] = [{ head: null, inside: root }];
  const words: Word[] = [];
  let depth = 0;
  const insideOf = (): Directive[] => open.at(-1)?.inside ?? root;
  const fault = (place: Place, subject: string, why: string): void => {
    faults.push({ line: place.line, column: place.column, subject: subject.slice(0, 72), why });
  };
  const takeWords = (): readonly [Word, ...Word[]] | null => {
    const [first, ...rest] = words.splice(0);
    return first === undefined ? null : [first, ...rest];
  };
  const unfinished = (): void => {
    const left = takeWords();
    if (left === null) return;
    insideOf().push({ words: left, block: null });
    fault(left[0], left[0].text || '""', 'the statement does not end with ";"');
  };
  const close = (place: Place): void => {
    unfinished();
    if (depth > open.length - 1) depth--;
    else if (open.length > 1) {
      const { head, inside } = open.pop() ?? { head: null, inside: [] };
      if (head !== null) insideOf().push({ words: head, block: inside });
      depth--;
    } else fault(place, '}', 'it closes nothing');
  };
  for (const token of tokensOf(text, fault)) {
    if (token.kind === 'word') words.push(token);
    else if (token.kind === ';') {
      const taken = takeWords();
      if (taken === null) fault(token, ';', 'there is no statement in front of it');
      else insideOf().push({ words: taken, block: null });
    } else if (token.kind === '{') {
      const head = takeWords() ?? [{ text: '{', line: token.line, column: token.column }];
      depth++;
      if (depth <= depthMax) open.push({ head, inside: [] });
      else {
        insideOf().push({ words: head, block: null });
        fault(head[0], head[0].text || '{', 'blocks are nested too deeply');
      }
    } else close(token);
  }
  unfinished();
  while (open.length > 1) {
    const { head, inside } = open.pop() ?? { head: null, inside: [] };
    if (head === null) continue;
    insideOf().push({ words: head, block: inside });
    fault(head[0], head[0].text || '{', 'the block is never closed');
  }
  return { directives: root, faults };
}

type Token = Word & { readonly kind: 'word' | ';' | '{' | '}' };

function* tokensOf(
  text: string,
  fault: (place: Place, subject: string, why: string) => void,
): Generator<Token> {
  let index = 0;
  let line = 1;
  let lineStart = 0;
  while (index < text.length) {
    const character = text[index] ?? '';
    if (character === '\n') {
      line++;
      lineStart = index + 1;
    }
    if (/\s/.test(character)) {
      index++;
      continue;
    }
    const place = { line, column: index - lineStart + 1 };
    if (character === '#') {
      const end = text.indexOf('\n', index);
      index = end < 0 ? text.length : end;
    } else if (character === ';' || character === '{' || character === '}') {
      index++;
      yield { kind: character, text: character, ...place };
    } else {
      const word = readWord(text, index);
      if (!word.ended) fault(place, word.text, 'this quote has no end');
      for (let at = text.indexOf('\n', index); at >= 0 && at < word.end; ) {
        line++;
        lineStart = at + 1;
        at = text.indexOf('\n', at + 1);
      }
      index = word.end;
      yield { kind: 'word', text: word.text, ...place };
    }
  }
}

interface ReadWord {
  readonly text: string;
  readonly end: number;
  readonly ended: boolean;
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  t: '\t',
  r: '\r',
  n: '\n',
};

function readWord(text: string, start: number): ReadWord {
  const first = text[start] ?? '';
  const quote = first === '"' || first === "'" ? first : '';
  let index = quote === '' ? start : start + 1;
  let word = '';
  while (index < text.length) {
    const character = text[index] ?? '';
    if (character === '\\' && index + 1 < text.length) {
      const next = text[index + 1] ?? '';
      word += escapes[next] ?? `\\${next}`;
      index += 2;
      continue;
    }
    if (quote !== '' && character === quote) return { text: word, end: index + 1, ended: true };
    if (quote === '' && /[\s;{]/.test(character)) {
      // `${name}` is a variable, and no block.
      if (character !== '{' || !word.endsWith('$')) break;
      const end = text.indexOf('}', index);
      if (end < 0 || end - index > 64) break;
      word += text.slice(index, end + 1);
      index = end + 1;
      continue;
    }
    word += character;
    index++;
  }
  return { text: word, end: index, ended: quote === '' };
}
