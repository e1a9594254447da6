// LogSink: text to a file or a standard stream, in the background. Whatever becomes of the output
// (a full disk, a folder that is gone, a reader that stalls or has left) sluice works on: lines
// wait up to a bound and are lost beyond it. pino's own destination is not used because it repeats
// a failed write for ever when it is flushed, and a failed reopen is an uncaught error.
import { close, constants, fstatSync, open, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { systemErrorName } from '../errors.js';

export interface LogSinkOptions {
  /** `stdout`, `stderr` or a path. */
  readonly output: string;
  /** Called when writing or reopening fails, once until it works again. */
  readonly onTrouble: (reason: string) => void;
}

/** Text that waits for the output; beyond it lines are lost. */
export const waitingBytesMax = 4 * 1024 * 1024;
/** EAGAIN: the reader is slow, which is no trouble. */
const slowReaderMs = 50;
const troubleMs = 1000;
/** How long close() waits for a slow reader. */
const closingMs = 1000;

const noBytes = Buffer.alloc(0);

export function standardDescriptor(output: string): number | null {
  if (output === 'stdout') return 1;
  return output === 'stderr' ? 2 : null;
}

/** Rejects with the system's error when a file cannot be opened. */
export async function openLogSink(options: LogSinkOptions): Promise<LogSink> {
  const descriptor = standardDescriptor(options.output);
  if (descriptor !== null) return new LogSink(options, withoutBlocking(descriptor));
  return new LogSink(options, await promisify(open)(options.output, 'a'));
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

export class LogSink {
  readonly #options: LogSinkOptions;
  #descriptor: number;
  /** Lines wait meanwhile: what follows a reopen() belongs into the new file. */
  #isOpening = false;
  /** Opened by reopen(), and taken over between two writes. */
  #nextDescriptor: number | null = null;
  /** Taken from the lines, and not yet written. */
  #pending: Buffer = noBytes;
  #lines: string[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #retry: NodeJS.Timeout | null = null;
  #isTroubled = false;
  #whenIdle: (() => void) | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: LogSinkOptions, descriptor: number) {
    this.#options = options;
    this.#descriptor = descriptor;
  }

  write(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#closing !== null || this.#waitingBytes + bytes > waitingBytesMax) return;
    this.#lines.push(text);
    this.#waitingBytes += bytes;
    if (this.#retry === null) this.#writeNext();
  }

  /** For files: what is written from now on goes to a file that is opened anew. */
  reopen(): void {
    const { output } = this.#options;
    if (standardDescriptor(output) !== null || this.#closing !== null || this.#isOpening) return;
    this.#isOpening = true;
    open(output, 'a', (error, descriptor) => {
      this.#isOpening = false;
      if (error) {
        this.#report(error);
        this.#writeNext();
        return;
      }
      if (this.#nextDescriptor !== null) this.#release(this.#nextDescriptor);
      this.#nextDescriptor = descriptor;
      this.#isTroubled = false;
      this.#writeNext();
    });
  }

  /** For the end of a process that has crashed: one try, at once. */
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

  /** Waits until all is written; for an output that does not take it, a second at most. */
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
    if (this.#nextDescriptor !== null) this.#release(this.#nextDescriptor);
    // A write that is under way must not find another file under its descriptor.
    if (!this.#isWriting) this.#release(this.#descriptor);
  }

  #writeNext(): void {
    if (this.#isWriting || this.#isOpening) return;
    if (this.#nextDescriptor !== null) {
      this.#release(this.#descriptor);
      this.#descriptor = this.#nextDescriptor;
      this.#nextDescriptor = null;
    }
    if (this.#pending.length === 0) {
      this.#pending = Buffer.from(this.#lines.join(''));
      this.#lines = [];
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
