// Where commands put a file that they have made: standard output, or a path that is not yet there.
import { writeFile } from 'node:fs/promises';
import { systemErrorName } from '../errors.js';

export interface OutputOptions {
  readonly output?: string;
  readonly force?: true;
}

/** null: written; otherwise why not, and what to do. */
export async function putFile(
  text: string,
  { output, force }: OutputOptions,
): Promise<string | null> {
  if (output === undefined) {
    process.stdout.write(text);
    return null;
  }
  try {
    await writeFile(output, text, { flag: force ? 'w' : 'wx' });
    return null;
  } catch (error) {
    if (systemErrorName(error) === 'EEXIST') return `${output} exists; --force replaces it`;
    return `${output} cannot be written: ${error instanceof Error ? error.message : String(error)}`;
  }
}
