// whole-number: a number on the command line.
import { InvalidArgumentError } from 'commander';

/** What commander calls with the text of an argument or an option. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It is a whole number, ${least} to ${most}.`);
  };
}
