// Variables of an nginx stream that choose where clients go: `map`, `split_clients`, `geo`. sluice
// has one pool for a listener, so the value for everybody else is taken, and the rest is told.
import { argument, type Directive, nameOf } from './directive.js';
import type { Ledger } from './ledger.js';

export interface Variables {
  /** Where a proxy_pass leads; null: it cannot be known, and that is told. */
  resolve(pass: Directive): string | null;
  /** Gives a fate to those that nothing has asked for. */
  close(): void;
}

interface Choice {
  readonly directive: Directive;
  /** null: there is no value for everybody else. */
  readonly otherwise: Directive | null;
}

const kinds = new Set(['map', 'split_clients', 'geo']);

export function readVariables(directives: readonly Directive[], ledger: Ledger): Variables {
  const choices = new Map<string, Choice>();
  const all = directives.filter((one) => kinds.has(nameOf(one)));
  for (const directive of all) {
    const name = directive.words.at(-1)?.text.replace(/^\$/, '') ?? '';
    const general = nameOf(directive) === 'split_clients' ? '*' : 'default';
    const otherwise = (directive.block ?? []).findLast((one) => nameOf(one) === general);
    choices.set(name, { directive, otherwise: otherwise ?? null });
  }
  return {
    resolve(pass) {
      const text = argument(pass, 0);
      if (!text.includes('$')) return text;
      const [, name = ''] = /^\$\{?(\w+)\}?$/.exec(text) ?? [];
      const choice = choices.get(name);
      const value = choice?.otherwise === null ? '' : argument(choice?.otherwise ?? pass, 0);
      if (choice === undefined || value === '' || value.includes('$')) {
        const why = 'where it leads is decided for each client, and there is no general answer';
        ledger.lost(pass.words, why, 'a listener of its own for each kind of client');
        return null;
      }
      tellChoice(choice, ledger);
      return value;
    },
    close() {
      for (const { words, block } of all) {
        if (ledger.has(words[0])) continue;
        for (const part of [words, ...(block ?? []).map((inner) => inner.words)]) {
          ledger.lost(part, 'sluice has no variables', 'write what is meant');
        }
      }
    },
  };
}

function tellChoice({ directive, otherwise }: Choice, ledger: Ledger): void {
  const why = 'a listener has one pool, whatever its clients are';
  for (const inner of directive.block ?? []) {
    if (inner === otherwise) ledger.carried(inner.words, 'listeners.*.pool');
    else ledger.lost(inner.words, why, 'a listener of its own for those clients');
  }
  const instead =
    nameOf(directive) === 'split_clients'
      ? 'one pool, and weights for its targets'
      : 'a listener of its own for each kind of client';
  ledger.lost(directive.words, why, instead);
}
