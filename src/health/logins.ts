// Logins: as whom probes of databases ask. A password is read from its file for every probe, so
// that one that is changed holds at once, and never stands in the configuration or in a log.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { systemErrorName } from '../errors.js';
import type { Logger } from '../log/logger.js';
import type { Login } from '../model/health-check.js';
import type { Ending } from './probe-socket.js';

export interface Credentials {
  /** Empty: not said. */
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const passwordBytesMax = 4096;

/** One for all probes, so that a file that many need is spoken of once. */
export class Logins {
  readonly #log: Logger;
  /** Files that could not be read when they were last wanted. As many as configurations name. */
  readonly #unreadable = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * null: no login is configured. An Ending: the password cannot be had, which is our own fault and
   * says nothing of a target.
   */
  async credentials(login: Login | null): Promise<Credentials | null | Ending> {
    if (login === null) return null;
    const { user, database, passwordFile } = login;
    if (passwordFile === '') return { user, database, password: '' };
    try {
      const password = await readPassword(passwordFile);
      this.#noteReadable(passwordFile);
      return { user, database, password };
    } catch (error) {
      const why = systemErrorName(error) || (error instanceof Error ? error.message : '');
      this.#noteUnreadable(passwordFile, why);
      return { ok: false, reason: 'local', facts: { detail: `login.password_file: ${why}` } };
    }
  }

  #noteReadable(file: string): void {
    if (this.#unreadable.delete(file)) this.#log.event('password_file_readable', { file });
  }

  #noteUnreadable(file: string, reason: string): void {
    if (this.#unreadable.has(file)) return;
    this.#unreadable.add(file);
    this.#log.event('password_file_unreadable', { file, reason });
  }
}

/** The first line. A pipe in its place must not hold the probe up. */
async function readPassword(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const buffer = Buffer.alloc(passwordBytesMax);
    const { bytesRead } = await handle.read(buffer, 0, passwordBytesMax, 0);
    return buffer.toString('utf8', 0, bytesRead).split(/\r?\n/, 1)[0] ?? '';
  } finally {
    await handle.close();
  }
}
