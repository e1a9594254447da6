// What a start and a reload take from a file: a configuration that is right and that this process
// has the rights for, or every problem.
import type { Clock } from '../clock.js';
import { probePermissions } from '../config/check.js';
import type { LoadResult } from '../config/load.js';
import { loadConfigFile } from '../config/read-file.js';

export async function loadRunnable(file: string, clock: Clock): Promise<LoadResult> {
  const loaded = await loadConfigFile(file);
  if (!loaded.ok) return loaded;
  const { config, originOf, warnings } = loaded;
  const errors = await probePermissions(config, { clock, originOf });
  return errors.length === 0 ? loaded : { ok: false, errors, warnings };
}
