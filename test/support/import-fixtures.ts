// The configurations of other programs in test/fixtures/import, and what imports of them say.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ImportKind, type ImportResult, importConfig } from '../../src/import/import-file.js';

export interface ImportFixture {
  readonly kind: ImportKind;
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

const endings: Readonly<Record<ImportKind, string>> = { haproxy: '.cfg', nginx: '.conf' };

export function importFixtures(kind: ImportKind): readonly ImportFixture[] {
  const folder = fileURLToPath(new URL(`../fixtures/import/${kind}/`, import.meta.url));
  return readdirSync(folder)
    .filter((file) => file.endsWith(endings[kind]))
    .map((file) => {
      const path = `${folder}${file}`;
      return { kind, name: file, path, text: readFileSync(path, 'utf8') };
    });
}

/** With no variables of the environment, whatever this process has. */
export function importText(text: string, kind: ImportKind, file = 'its.file'): ImportResult {
  return importConfig(text, { file, kind, environment: () => undefined });
}

/** One line for each, as it stands in the golden files. */
export function findingLines({ findings }: ImportResult): string {
  return findings
    .map(({ line, column, fate, subject, why, instead }) => {
      const what = instead === '' ? why : `${why}; ${instead}`;
      return `${line}:${column}  ${fate}  ${subject}  ->  ${what}\n`;
    })
    .join('');
}
