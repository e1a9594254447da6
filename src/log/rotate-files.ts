// The files of a log that is rotated: log, log.1 (the newest of the old ones), log.2, ...
import { rename, unlink } from 'node:fs/promises';
import { systemErrorName } from '../errors.js';

/**
 * Makes room for a new file at `path`: every older one moves up by one, and the `keep`th is gone.
 * Rejects with the system's error; files that have moved until then stay where they are.
 */
export async function rotateFiles(path: string, keep: number): Promise<void> {
  if (keep === 0) return await ifThere(unlink(path));
  for (let number = keep; number > 1; number--) {
    await ifThere(rename(`${path}.${number - 1}`, `${path}.${number}`));
  }
  await ifThere(rename(path, `${path}.1`));
}

async function ifThere(change: Promise<void>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (systemErrorName(error) !== 'ENOENT') throw error;
  }
}
