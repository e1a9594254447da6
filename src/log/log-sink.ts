// LogSink: text to a file or a standard stream, in the background. Whatever becomes of the output
// (a full disk, a folder that is gone, a reader that stalls or has left) sluice works on: lines
// wait up to a bound and are lost beyond it. pino's own destination is not used because it repeats
// a failed write for ever when it is flushed, and a failed reopen is an uncaught error.
import { close, constants, fstat, fstatSync, open, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { systemErrorName } from '../errors.js';
import type { LogRotation } from '../model/config.js';
import { closingMs, type LogOutput, waitingBytesMax } from './log-output.js';
import { rotateFiles } from './rotate-files.js';

export interface LogSinkOptions {
  /** `stdout`, `stderr` or a path. */
  readonly output: string;
  /** null: a file grows until somebody else rotates it. */
  readonly rotate: LogRotation | null;
  /** Called when writing or reopening fails, once until it works again. */
  readonly onTrouble: (reason: string) => void;
}

/** EAGAIN: the reader is slow, which is no trouble. */
const slowReaderMs = 50;
const troubleMs = 1000;

const noBytes = Buffer.alloc(0);

export function standardDescriptor(output: string): number | null {
  if (output === 'stdout') return 1;
  return output === 'stderr' ? 2 : null;
}

/** What is written to. */
interface Target {
  readonly descriptor: number;
  /** Of a regular file; 0 of everything else, which is not rotated. */
  readonly bytes: number;
  readonly isFile: boolean;
}

/** Rejects with the system's error when a file cannot be opened. */
export async function openLogSink(options: LogSinkOptions): Promise<LogSink> {
  const standard = standardDescriptor(options.output);
  if (standard === null) return new LogSink(options, await openToAppend(options.output));
  const descriptor = withoutBlocking(standard);
  return new LogSink(options, { descriptor, bytes: 0, isFile: false });
}

async function openToAppend(path: string): Promise<Target> {
  const descriptor = await promisify(open)(path, 'a');
  const stats = await promisify(fstat)(descriptor);
  const isFile = stats.isFile();
  return { descriptor, bytes: isFile ? stats.size : 0, isFile };
}

/**
 * A pipe or a terminal opened anew, so that O_NONBLOCK is ours alone: a write that blocks holds a
 * thread that even process.exit() waits for. The descriptor itself where that cannot be done.
 */
function withoutBlocking(descriptor: number): number {
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFIFO() && !stats.isCharacterDevice()) return descriptor;
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    return openSync(`/proc/self/fd/${descriptor}`, flags);
  } catch {
    return descriptor;
  }
}

export class LogSink implements LogOutput {
  readonly #options: LogSinkOptions;
  #descriptor: number;
  #isFile: boolean;
  /** Of the file, as far as we have written it. */
  #fileBytes: number;
  /** Lines wait meanwhile: what follows a reopen() belongs into the new file. */
  #isOpening = false;
  /** Opened anew, and taken over between two writes. */
  #next: Target | null = null;
  /** Taken from the lines, and not yet written. */
  #pending: Buffer = noBytes;
  #lines: string[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #retry: NodeJS.Timeout | null = null;
  #isTroubled = false;
  #whenIdle: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: LogSinkOptions, { descriptor, bytes, isFile }: Target) {
    this.#options = options;
    this.#descriptor = descriptor;
    this.#fileBytes = bytes;
    this.#isFile = isFile;
  }

  write(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#closing !== null || this.#waitingBytes + bytes > waitingBytesMax) return;
    this.#lines.push(text);
    this.#waitingBytes += bytes;
    if (this.#retry === null) this.#writeNext();
  }

  reopen(): void {
    if (standardDescriptor(this.#options.output) !== null) return;
    if (this.#closing === null && !this.#isOpening) void this.#openAnew(null);
  }

  flushNow(): void {
    try {
      writeSync(
        this.#descriptor,
        Buffer.concat([this.#pending, Buffer.from(this.#lines.join(''))]),
      );
    } catch {
      // There is nobody left to tell.
    }
    this.#pending = noBytes;
    this.#lines = [];
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if ((this.#waitingBytes > 0 || this.#isOpening) && !this.#isTroubled) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, closingMs);
        this.#whenIdle = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    }
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#next !== null) this.#release(this.#next.descriptor);
    // A write that is under way must not find another file under its descriptor.
    if (!this.#isWriting) this.#release(this.#descriptor);
  }

  /** After `prepare`; where that or the opening fails, lines go on to where they went. */
  async #openAnew(prepare: Promise<void> | null): Promise<void> {
    this.#isOpening = true;
    try {
      await prepare;
      const next = await openToAppend(this.#options.output);
      if (this.#next !== null) this.#release(this.#next.descriptor);
      this.#next = next;
      this.#isTroubled = false;
    } catch (error) {
      // Asked again when as much has been written once more.
      this.#fileBytes = 0;
      this.#report(error instanceof Error ? error : new Error(String(error)));
    }
    this.#isOpening = false;
    this.#writeNext();
  }

  /** Would the file grow beyond its bound? One that is empty takes whatever comes. */
  #isFull(): boolean {
    const { rotate } = this.#options;
    if (rotate === null || !this.#isFile || this.#fileBytes === 0) return false;
    return this.#fileBytes + this.#pending.length > rotate.sizeBytes;
  }

  #writeNext(): void {
    if (this.#isWriting || this.#isOpening) return;
    if (this.#next !== null) {
      this.#release(this.#descriptor);
      ({ descriptor: this.#descriptor, bytes: this.#fileBytes, isFile: this.#isFile } = this.#next);
      this.#next = null;
    }
    if (this.#pending.length === 0) {
      this.#pending = Buffer.from(this.#lines.join(''));
      this.#lines = [];
      // Here, so that no line is divided between two files.
      if (this.#isFull()) {
        const { output, rotate } = this.#options;
        void this.#openAnew(rotateFiles(output, rotate?.keep ?? 0));
        return;
      }
    }
    if (this.#pending.length === 0) {
      this.#whenIdle?.();
      return;
    }
    this.#isWriting = true;
    write(this.#descriptor, this.#pending, (error, written) => {
      this.#isWriting = false;
      if (error) {
        this.#rest(error);
        return;
      }
      this.#isTroubled = false;
      this.#waitingBytes -= written;
      this.#fileBytes += written;
      this.#pending = this.#pending.subarray(written);
      this.#writeNext();
    });
  }

  #rest(error: Error): void {
    const isSlow = systemErrorName(error) === 'EAGAIN';
    if (!isSlow) this.#report(error);
    if (!isSlow && this.#closing !== null) {
      this.#whenIdle?.();
      return;
    }
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = setTimeout(
      () => {
        this.#retry = null;
        this.#writeNext();
      },
      isSlow ? slowReaderMs : troubleMs,
    );
    this.#retry.unref();
  }

  #report(error: Error): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#options.onTrouble(error.message);
  }

  #release(descriptor: number): void {
    // 0 to 2 are the process's own. What close() itself reports is of no use to anybody.
    if (descriptor > 2) close(descriptor, () => undefined);
  }
}
