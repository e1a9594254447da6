// What the durations of a drain may be, in the file and on the command line.
import type { DrainRules } from '../model/drain.js';
import { type Parsed, parsed } from './parsed.js';
import { type DurationRules, parseDurationBy } from './scalars.js';

export const drainDeadlineRules: DurationRules = { minMs: 0, off: true };
export const drainCloseOverRules: DurationRules = { minMs: 0 };

/** null: no deadline. */
export function parseDrainDeadline(text: string): Parsed<DrainRules['deadlineMs']> {
  return text === 'off' ? parsed(null) : parseDurationBy(text, { minMs: 0 });
}

export function parseDrainCloseOver(text: string): Parsed<number> {
  return parseDurationBy(text, drainCloseOverRules);
}
