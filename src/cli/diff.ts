// sluice diff FILE, or OLD NEW: what a reload would change, of the sluice that runs or of a file.
import { formatProblems, problemStyle } from '../app/check.js';
import { diffFiles, diffRunning, formatChange } from '../app/diff.js';
import { readAdmin } from './admin-client.js';
import { textOf } from './answer-fields.js';
import { exitCodes } from './exit-codes.js';
import { paintFor, visible } from './terminal.js';

export interface DiffOptions {
  readonly admin: string;
  readonly json?: true;
}

/** Without `second` the running configuration is what `first` is compared with. */
export async function diff(
  first: string,
  second: string | undefined,
  options: DiffOptions,
): Promise<number> {
  const { admin, json } = options;
  const [before, after] = second === undefined ? [admin, first] : [first, second];
  const result = await (second === undefined
    ? diffRunning(textOf((await readAdmin(admin, '/api/v1/config')).text), first)
    : diffFiles(first, second));
  if (!result.ok) {
    process.stderr.write(formatProblems(result.errors, problemStyle(process.stderr, process.env)));
    return exitCodes.usage;
  }
  const { changes } = result;
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ before, after, changes }, null, 2)}\n`);
    return exitCodes.ok;
  }
  const paint = paintFor(process.stdout);
  const hues = { added: 'green', removed: 'red', changed: 'yellow' } as const;
  for (const change of changes) {
    process.stdout.write(`${paint(hues[change.kind], visible(formatChange(change)))}\n`);
  }
  if (changes.length === 0) process.stdout.write('nothing changes\n');
  return exitCodes.ok;
}
