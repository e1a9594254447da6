// What a start and a reload take from a file: a configuration that is right and that this process
// has the rights for, or every problem.
import type { Clock } from '../clock.js';
import { probePermissions } from '../config/check.js';
import { type LoadedConfig, loadConfig, type RefusedConfig } from '../config/load.js';
import { readConfigFile } from '../config/read-file.js';

/** With the bytes that it was made from. */
export type RunnableResult = (LoadedConfig & { readonly bytes: Uint8Array }) | RefusedConfig;

export async function loadRunnable(file: string, clock: Clock): Promise<RunnableResult> {
  const read = await readConfigFile(file);
  if (!read.ok) return { ok: false, errors: [read.problem], warnings: [] };
  return await loadRunnableBytes(read.bytes, file, clock);
}

export async function loadRunnableBytes(
  bytes: Uint8Array,
  file: string,
  clock: Clock,
): Promise<RunnableResult> {
  const loaded = loadConfig(bytes, file);
  if (!loaded.ok) return loaded;
  const { config, originOf, warnings } = loaded;
  const errors = await probePermissions(config, { clock, originOf });
  return errors.length === 0 ? { ...loaded, bytes } : { ok: false, errors, warnings };
}
