// fail: says on standard error why a command does not do what it was asked.
import { exitCodes } from './exit-codes.js';
import { visible } from './terminal.js';

/** Returns the exit code that it is given. */
export function fail(message: string, code: number): number {
  process.stderr.write(`sluice: ${visible(message)}\n`);
  return code;
}

/** What the admin API says no with. */
export function refused({ error, code }: Readonly<Record<string, unknown>>): number {
  return fail(`${String(error)} (${String(code)})`, exitCodes.failed);
}
