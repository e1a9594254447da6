// Another program's file, read from disk and made into a configuration.
import { readConfigFile } from '../config/read-file.js';
import { type ImportKind, type ImportResult, importConfig } from '../import/import-file.js';

export type { ImportKind } from '../import/import-file.js';
export type { Fate, ImportFinding } from '../import/ledger.js';

export type FileImport =
  | ({ readonly ok: true } & ImportResult)
  | { readonly ok: false; readonly message: string };

/** `kind`: otherwise it is told from the text. Environment variables are those of this process. */
export async function importFile(file: string, kind?: ImportKind): Promise<FileImport> {
  const read = await readConfigFile(file);
  if (!read.ok) return { ok: false, message: `${file}: ${read.problem.message}` };
  const text = new TextDecoder().decode(read.bytes);
  const environment = (name: string): string | undefined => process.env[name];
  const named = file.split('/').at(-1) ?? file;
  const result = importConfig(text, { file: named, environment, ...(kind && { kind }) });
  return { ok: true, ...result };
}
