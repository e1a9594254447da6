// How every script ends badly: one sentence for what the user can put right, no stack trace.

/** What the user can put right: shown as its message alone, exit code 1. */
export class Stop extends Error {
  /** @param {string} sentence @param {string} [detail] shown before the sentence */
  constructor(sentence, detail = '') {
    super(sentence);
    this.detail = detail;
  }
}

/**
 * Runs a script's main function; its result is the exit code.
 * @param {() => Promise<number>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    if (error.detail !== '') process.stderr.write(`${error.detail.trimEnd()}\n\n`);
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
