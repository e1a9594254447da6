// Another program's configuration as one of sluice, and what became of each of its statements.
// Pure: nothing is read, started or thrown, whatever the bytes are.
import type { Environment } from './haproxy-words.js';
import { importHaproxy } from './import-haproxy.js';
import { importNginx } from './import-nginx.js';
import { createLedger, type ImportFinding } from './ledger.js';
import { settle } from './settle.js';

export type ImportKind = 'haproxy' | 'nginx';

export interface ImportResult {
  readonly kind: ImportKind;
  /** A file that loads; null when nothing of it could be carried over. */
  readonly yaml: string | null;
  readonly findings: readonly ImportFinding[];
}

export interface ImportOptions {
  /** What comments and messages call it. */
  readonly file: string;
  /** Values of environment variables that the file uses. */
  readonly environment: Environment;
  /** Otherwise it is told from the text. */
  readonly kind?: ImportKind;
}

export function importConfig(text: string, options: ImportOptions): ImportResult {
  const kind = options.kind ?? kindOf(text);
  const ledger = createLedger();
  const draft =
    kind === 'haproxy'
      ? importHaproxy(text, options.file, options.environment, ledger)
      : importNginx(text, options.file, ledger);
  draft.notes.push(`From ${options.file} by sluice import; what was lost it has told.`);
  const yaml = settle(draft, ledger);
  return { kind, yaml, findings: ledger.findings() };
}

/** nginx ends statements with semicolons and has blocks in braces; HAProxy has neither. */
export function kindOf(text: string): ImportKind {
  const code = text.replaceAll(/^\s*#.*$/gm, '');
  return /[;{]\s*(#.*)?$/m.test(code) ? 'nginx' : 'haproxy';
}
