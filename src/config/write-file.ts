// Writes a configuration file so that there is the old one or the new one at every moment, with
// the mode and the owner that it had.
import { open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface PreparedFile {
  /** The new file takes the place of the old one. */
  commit(): Promise<void>;
  /** Nothing has happened. */
  discard(): Promise<void>;
}

/** On the disk beside the old one, so that what can fail has failed before anything is changed. */
export async function prepareFile(file: string, text: string): Promise<PreparedFile> {
  // The file that a link leads to is replaced, not the link.
  const path = await realpath(file);
  const { mode, uid, gid } = await stat(path);
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.new`);
  const handle = await open(beside, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.chown(uid, gid);
    await handle.chmod(mode & 0o7777);
    await handle.sync();
  } catch (error) {
    await unlink(beside);
    throw error;
  } finally {
    await handle.close();
  }
  return {
    commit: () => rename(beside, path),
    discard: () => unlink(beside),
  };
}
