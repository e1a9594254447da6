// sluice check FILE: what `run` would say about the file, and whether this machine can run it.

import { checkConfigFile, formatProblems, problemStyle } from '../app/check.js';
import { systemClock } from '../clock.js';
import { exitCodes } from './exit-codes.js';

export interface CheckOptions {
  readonly json: boolean;
}

/** Exit code 0 even with warnings; 1 when this machine cannot run the file; 2 when nobody can. */
export async function check(file: string, { json }: CheckOptions): Promise<number> {
  const { valid, findings } = await checkConfigFile(file, systemClock());
  if (json) process.stdout.write(`${JSON.stringify({ file, valid, findings }, null, 2)}\n`);
  else process.stderr.write(formatProblems(findings, problemStyle(process.stderr, process.env)));
  if (!valid) return exitCodes.usage;
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  if (!json && errors === 0) process.stdout.write(`${file}: the configuration is valid\n`);
  return errors === 0 ? exitCodes.ok : exitCodes.failed;
}
