// What changes between two configurations: the words of a reload, without one.
import { type ConfigChange, diffConfigs, formatChange } from '../config/diff.js';
import { type LoadResult, loadConfig } from '../config/load.js';
import type { ConfigProblem } from '../config/problem.js';
import { loadConfigFile } from '../config/read-file.js';

export type FileDiff =
  | { readonly ok: true; readonly changes: readonly ConfigChange[] }
  | { readonly ok: false; readonly errors: readonly ConfigProblem[] };

export { formatChange };

export async function diffFiles(before: string, after: string): Promise<FileDiff> {
  return compared(await loadConfigFile(before), await loadConfigFile(after));
}

/** `text`: the running configuration, as sluice tells it. */
export async function diffRunning(text: string, after: string): Promise<FileDiff> {
  const running = loadConfig(Buffer.from(text), 'the running configuration');
  return compared(running, await loadConfigFile(after));
}

function compared(old: LoadResult, current: LoadResult): FileDiff {
  const errors = [old, current].flatMap((loaded) => (loaded.ok ? [] : loaded.errors));
  if (!old.ok || !current.ok) return { ok: false, errors };
  return { ok: true, changes: diffConfigs(old.config, current.config) };
}
