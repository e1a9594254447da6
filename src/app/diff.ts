// What changes between two configuration files: the words of a reload, without one.
import { type ConfigChange, diffConfigs, formatChange } from '../config/diff.js';
import type { ConfigProblem } from '../config/problem.js';
import { loadConfigFile } from '../config/read-file.js';

export type FileDiff =
  | { readonly ok: true; readonly changes: readonly ConfigChange[] }
  | { readonly ok: false; readonly errors: readonly ConfigProblem[] };

export { formatChange };

export async function diffFiles(before: string, after: string): Promise<FileDiff> {
  const [old, current] = await Promise.all([loadConfigFile(before), loadConfigFile(after)]);
  const errors = [old, current].flatMap((loaded) => (loaded.ok ? [] : loaded.errors));
  if (!old.ok || !current.ok) return { ok: false, errors };
  return { ok: true, changes: diffConfigs(old.config, current.config) };
}
