// StateFile: what survives a restart of the process, in one file. It is replaced as a whole, so
// that a crash at any moment leaves the old one or the new one, never half of either.
import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../clock.js';
import { systemErrorName } from '../errors.js';
import type { Logger } from '../log/logger.js';
import { decodeState, encodeState, stateBytesMax } from './state-format.js';
import type { StateSection } from './state-section.js';

export interface StateFileOptions {
  readonly file: string;
  /** A change is written at most this much later, and two writes are at least this far apart. */
  readonly intervalMs: number;
  readonly sections: readonly StateSection[];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Without any change the file is written again this often: the time in it tells a later process
 * how long nobody has looked at the targets, also after a crash.
 */
export const refreshMs = 60_000;

export class StateFile {
  readonly #options: StateFileOptions;
  #timer: Timer | null = null;
  #timerDueMs = 0;
  #writtenMs = Number.NEGATIVE_INFINITY;
  /** Writes are one after the other; this is the last. Never rejects. */
  #writing: Promise<void> = Promise.resolve();
  #failing = false;
  #closed = false;

  constructor(options: StateFileOptions) {
    this.#options = options;
  }

  /** Gives each section what an earlier process saved. A file that is no good is only logged. */
  async restore(): Promise<void> {
    const { file, sections, clock, log } = this.#options;
    const ignored = (reason: string) => log.event('state_ignored', { file, reason });
    let bytes: Buffer;
    try {
      bytes = await readBounded(file);
    } catch (error) {
      // The first start ever is nothing to speak of.
      if (systemErrorName(error) !== 'ENOENT') ignored(reasonText(error));
      return;
    }
    const reading = decodeState(bytes);
    if (!reading.ok) {
      ignored(reading.reason);
      return;
    }
    const { written, sections: saved } = reading.content;
    const ageMs = Math.max(0, clock.wallTime().getTime() - written.getTime());
    const restored: string[] = [];
    for (const section of sections) {
      if (!Object.hasOwn(saved, section.name)) continue;
      const refusal = section.restore(saved[section.name], { ageMs });
      if (refusal === null) restored.push(section.name);
      else ignored(refusal);
    }
    log.event('state_restored', { file, sections: restored, ageMs });
  }

  /** From now on the file is kept up to date. */
  begin(): void {
    this.#writeAt(this.#options.clock.nowMs());
  }

  /** Something that a section saves is different now. Cheap; called as often as that happens. */
  changed(): void {
    const { clock, intervalMs } = this.#options;
    this.#writeAt(Math.max(clock.nowMs(), this.#writtenMs + intervalMs));
  }

  /** Writes for the last time; resolves when it is on the disk. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const began = this.#timer !== null;
    this.#timer?.cancel();
    this.#timer = null;
    if (began) this.#write();
    await this.#writing;
  }

  #writeAt(dueMs: number): void {
    if (this.#closed || (this.#timer !== null && this.#timerDueMs <= dueMs)) return;
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = clock.after(Math.max(0, dueMs - clock.nowMs()), () => {
      this.#timer = null;
      this.#writtenMs = clock.nowMs();
      this.#write();
      this.#writeAt(clock.nowMs() + refreshMs);
    });
  }

  #write(): void {
    this.#writing = this.#writing.then(async () => {
      const { file, sections, clock, log } = this.#options;
      try {
        const saved = Object.fromEntries(sections.map(({ name, save }) => [name, save()]));
        await replaceFile(file, encodeState({ written: clock.wallTime(), sections: saved }));
        this.#failing = false;
      } catch (error) {
        // Tried again with the next change or refresh; said once until it succeeds.
        if (!this.#failing) log.event('state_not_written', { file, reason: reasonText(error) });
        this.#failing = true;
      }
    });
  }
}

function reasonText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A pipe in its place must not hold a start up, nor a file without end fill the memory. */
async function readBounded(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size } = await regular(handle);
    if (size > stateBytesMax) throw new Error(`the file has ${size} bytes`);
    const bytes = Buffer.alloc(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, size - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

async function regular(handle: FileHandle) {
  const found = await handle.stat();
  if (!found.isFile()) throw new Error('not a regular file');
  return found;
}

/** For the owner alone: it says which targets exist and what the operator has done to them. */
const fileMode = 0o600;

async function replaceFile(file: string, bytes: Buffer): Promise<void> {
  if (bytes.length > stateBytesMax) throw new Error(`the state has ${bytes.length} bytes`);
  const draft = `${file}.new`;
  const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_TRUNC, O_WRONLY } = constants;
  const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK;
  const handle = await open(draft, flags, fileMode);
  try {
    await regular(handle);
    // One that a crash left behind keeps the mode that it was made with.
    await handle.chmod(fileMode);
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  // The new name is on the disk only when its folder is.
  const folder = await open(dirname(file), constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
