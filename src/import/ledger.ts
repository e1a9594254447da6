// Ledger: what became of each statement of an imported file. Nothing may be dropped in silence, so
// at the end whoever has no entry gets one that says so.
import type { ConfigProblem } from '../config/problem.js';
import { type Directive, oneLine, type Place, textOf, type Word } from './directive.js';

export type Fate = 'carried' | 'not_needed' | 'lost';

export interface ImportFinding extends Place {
  readonly fate: Fate;
  /** The statement, or the part of it that is meant. */
  readonly subject: string;
  /** carried: the key of the new file; otherwise the reason. */
  readonly why: string;
  /** lost: what to do instead; otherwise empty. */
  readonly instead: string;
}

type Words = readonly [Word, ...Word[]];

export interface Ledger {
  carried(words: Words, to: string): void;
  notNeeded(words: Words, why: string): void;
  lost(words: Words, why: string, instead: string): void;
  /** A place without words, such as a quote that never ends. */
  unreadable(place: Place, subject: string, why: string): void;
  /** What sluice itself refuses of what was carried over. */
  refused(place: Place, problem: ConfigProblem): void;
  has(word: Word): boolean;
  /** By place; each once. */
  findings(): readonly ImportFinding[];
}

export function createLedger(): Ledger {
  const entries = new Map<string, ImportFinding>();
  const named = new Set<Word>();
  const add = (finding: ImportFinding): void => {
    const { line, column, fate, subject, why } = finding;
    entries.set(JSON.stringify([line, column, fate, subject, why]), finding);
  };
  const record = (words: Words, fate: Fate, why: string, instead: string): void => {
    const [{ line, column }] = words;
    named.add(words[0]);
    add({ line, column, fate, subject: textOf(words), why, instead });
  };
  return {
    carried: (words, to) => record(words, 'carried', to, ''),
    notNeeded: (words, why) => record(words, 'not_needed', why, ''),
    lost: (words, why, instead) => record(words, 'lost', why, instead),
    unreadable({ line, column }, subject, why) {
      const instead = 'correct it and import again';
      add({ line, column, fate: 'lost', subject: oneLine(subject, 72) || '""', why, instead });
    },
    refused({ line, column }, { path, message }) {
      const instead = 'write it by hand; sluice check says what is possible';
      const why = oneLine(`sluice refuses it: ${message}`, 240);
      add({ line, column, fate: 'lost', subject: oneLine(path, 120) || 'the file', why, instead });
    },
    has: (word) => named.has(word),
    findings: () =>
      weightiest([...entries.values()]).sort(
        (a, b) => a.line - b.line || a.column - b.column || a.subject.length - b.subject.length,
      ),
  };
}

const weights: Readonly<Record<Fate, number>> = { lost: 2, carried: 1, not_needed: 0 };

/** What is lost in one section and carried in another is lost; what is needed once is needed. */
function weightiest(findings: readonly ImportFinding[]): ImportFinding[] {
  const subjectOf = ({ line, column, subject }: ImportFinding): string =>
    JSON.stringify([line, column, subject]);
  const best = new Map<string, ImportFinding>();
  for (const finding of findings) {
    const known = best.get(subjectOf(finding));
    if (known === undefined || weights[finding.fate] > weights[known.fate]) {
      best.set(subjectOf(finding), finding);
    }
  }
  return findings.filter((finding) => {
    const known = best.get(subjectOf(finding));
    return finding === known || (finding.fate === 'lost' && known?.fate === 'lost');
  });
}

/** Gives an entry to every statement that has none. */
export function closeLedger(
  ledger: Ledger,
  directives: readonly Directive[],
  why: (directive: Directive) => { readonly needed: boolean; readonly why: string },
): void {
  for (const directive of directives) {
    if (!ledger.has(directive.words[0])) {
      const { needed, why: reason } = why(directive);
      if (needed) ledger.lost(directive.words, reason, 'docs/migration.md lists what is known');
      else ledger.notNeeded(directive.words, reason);
    }
    if (directive.block !== null) closeLedger(ledger, directive.block, why);
  }
}
