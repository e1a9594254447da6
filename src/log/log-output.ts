// LogOutput: where lines of a log go. None of them ever stops sluice: lines that are not taken wait
// up to a bound, and are lost beyond it.
import type { Level } from './events.js';

/** What a line is about, for outputs that want it beside the text. */
export interface LineFacts {
  readonly level: Level;
  readonly event: string;
}

export interface LogOutput {
  /** `line` ends with a line feed. */
  write(line: string, facts: LineFacts): void;
  /** For files: what is written from now on goes to a file that is opened anew. */
  reopen(): void;
  /** For the end of a process that has crashed: one try, at once. */
  flushNow(): void;
  /** Waits until all is written; for an output that does not take it, a second at most. */
  close(): Promise<void>;
}

/** Text that waits for an output; beyond it lines are lost. */
export const waitingBytesMax = 4 * 1024 * 1024;
/** How long close() waits for an output that is slow. */
export const closingMs = 1000;
