// sluice diff OLD NEW: what a reload from one file to the other would change.
import { formatProblems, problemStyle } from '../app/check.js';
import { diffFiles, formatChange } from '../app/diff.js';
import { exitCodes } from './exit-codes.js';
import { paintFor, visible } from './terminal.js';

export async function diff(
  before: string,
  after: string,
  options: { readonly json?: true },
): Promise<number> {
  const result = await diffFiles(before, after);
  if (!result.ok) {
    process.stderr.write(formatProblems(result.errors, problemStyle(process.stderr, process.env)));
    return exitCodes.usage;
  }
  const { changes } = result;
  if (options.json === true) {
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
