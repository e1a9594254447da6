// Expectation: does an answer hold what was expected? Patterns are RE2's, whose matching takes time
// linear in the input, so that neither a pattern of the file nor an answer can stop the event loop.
import { RE2JS } from 're2js';
import type { Expectation } from '../model/health-check.js';

/** A pattern looks at so much of an answer; linear still means some ms for 16 KiB. */
export const patternBytesMax = 16 * 1024;

export function compilePattern(regex: string): RE2JS {
  return RE2JS.compile(regex);
}

/** Where what was expected ends in `answer`; null when it is not in it. */
export type Finder = (answer: Buffer) => number | null;

/** Text and bytes are searched from where the last search of a growing answer stopped. */
export function createFinder(expectation: Expectation): Finder {
  if (expectation.kind === 'bytes') {
    const { bytes } = expectation;
    let from = 0;
    return (answer) => {
      const at = answer.indexOf(bytes, from);
      if (at >= 0) return at + bytes.length;
      from = Math.max(0, answer.length - bytes.length + 1);
      return null;
    };
  }
  const pattern = compilePattern(expectation.regex);
  return (answer) => {
    // Latin-1: a character for each byte, so that a place in the text is one in the bytes.
    const matcher = pattern.matcher(answer.toString('latin1', 0, patternBytesMax));
    return matcher.find() ? matcher.end() : null;
  };
}
