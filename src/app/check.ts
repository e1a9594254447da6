// Check: the same loading as a start, then everything that a start would need from this machine.
import type { Clock } from '../clock.js';
import { probeEnvironment } from '../config/check.js';
import type { ConfigProblem } from '../config/problem.js';
import { loadConfigFile } from '../config/read-file.js';

export { formatProblems, problemStyle } from '../config/problem.js';

export interface CheckResult {
  /** The file by itself is right; findings then speak of this machine, or are warnings. */
  readonly valid: boolean;
  readonly findings: readonly ConfigProblem[];
}

export async function checkConfigFile(file: string, clock: Clock): Promise<CheckResult> {
  const loaded = await loadConfigFile(file);
  if (!loaded.ok) return { valid: false, findings: [...loaded.errors, ...loaded.warnings] };
  const { config, originOf, warnings } = loaded;
  return {
    valid: true,
    findings: [...warnings, ...(await probeEnvironment(config, { clock, originOf }))],
  };
}
