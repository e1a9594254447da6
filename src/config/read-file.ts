// A configuration file from disk: bounded, and never stuck on something that is not a file.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type ErrorCode, systemErrorName } from '../errors.js';
import { fileBytesMax } from './decode.js';
import { type LoadResult, loadConfig } from './load.js';
import { type Machine, thisMachine } from './machine.js';
import { type ConfigProblem, fileProblem } from './problem.js';

export type ReadResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly problem: ConfigProblem };

export async function readConfigFile(file: string): Promise<ReadResult> {
  const fail = (code: ErrorCode, message: string): ReadResult => ({
    ok: false,
    problem: fileProblem(file, code, message),
  });
  let handle: FileHandle | undefined;
  try {
    // O_NONBLOCK: opening a pipe that nobody writes to would otherwise wait for ever.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (stats.isDirectory()) return fail('SLUICE_CONFIG_FILE_KIND', 'is a directory, not a file');
    if (!stats.isFile()) return fail('SLUICE_CONFIG_FILE_KIND', 'is not a regular file');
    const bytes = await readUpTo(handle, fileBytesMax + 1);
    if (bytes.length <= fileBytesMax) return { ok: true, bytes };
    const size = Math.max(stats.size, bytes.length);
    const message = `the file has ${size} bytes, ${fileBytesMax} (4 MiB) are possible`;
    return fail('SLUICE_CONFIG_FILE_TOO_LARGE', message);
  } catch (error) {
    const name = systemErrorName(error);
    if (name === 'ENOENT') return fail('SLUICE_CONFIG_FILE_MISSING', 'there is no such file');
    if (name === 'ENOTDIR') {
      return fail('SLUICE_CONFIG_FILE_MISSING', 'a part of the path is not a directory');
    }
    // ENXIO: a socket, or a pipe or device without its other side.
    if (name === 'ENXIO') return fail('SLUICE_CONFIG_FILE_KIND', 'is not a regular file');
    const reasons: Readonly<Record<string, string>> = {
      EACCES: 'this user may not read it',
      EPERM: 'this user may not read it',
      ELOOP: 'its symbolic links run in a circle',
      ENAMETOOLONG: 'the path is too long',
    };
    const reason = reasons[name] ?? (error instanceof Error ? error.message : String(error));
    return fail('SLUICE_CONFIG_FILE_UNREADABLE', `cannot be read: ${reason}`);
  } finally {
    await handle?.close();
  }
}

/** Read, not trusting the size that the file system gave: the file may grow meanwhile. */
async function readUpTo(handle: FileHandle, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let total = 0;
  while (total < bytesMax) {
    const part = new Uint8Array(Math.min(bytesMax - total, 64 * 1024));
    const { bytesRead } = await handle.read(part, 0, part.length, null);
    if (bytesRead === 0) break;
    parts.push(part.subarray(0, bytesRead));
    total += bytesRead;
  }
  return Buffer.concat(parts);
}

/** readConfigFile and loadConfig in one: what `run`, `check` and every reload do. */
export async function loadConfigFile(
  file: string,
  machine: Machine = thisMachine(),
): Promise<LoadResult> {
  const read = await readConfigFile(file);
  if (read.ok) return loadConfig(read.bytes, file, machine);
  return { ok: false, errors: [read.problem], warnings: [] };
}
