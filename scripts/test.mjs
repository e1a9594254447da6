// `npm test`: sets up, runs every stage, and ends in one line that sums them all.
//   node scripts/test.mjs [stage...] [-- arguments for vitest]     no stage: the default ones

import { seconds } from './progress.mjs';
import { setUp } from './set-up.mjs';
import { runMain, Stop } from './stop.mjs';
import { defaultStages, stages } from './test-stages.mjs';

/**
 * @param {string[]} args
 * @returns {{ names: string[], vitestArgs: string[] }}
 */
function parseArguments(args) {
  const separator = args.indexOf('--');
  const words = separator === -1 ? args : args.slice(0, separator);
  const vitestArgs = separator === -1 ? [] : args.slice(separator + 1);
  const named = words.flatMap((word) => (word === 'all' ? Object.keys(stages) : [word]));
  const unknown = named.filter((name) => stages[name] === undefined);
  if (unknown.length > 0) {
    const known = Object.keys(stages).join(', ');
    throw new Stop(`No test stage is called ${unknown.join(', ')}; there are: ${known}, all.`);
  }
  return { names: named.length > 0 ? named : defaultStages, vitestArgs };
}

/** @param {import('./test-stages.mjs').Result} result */
function summary({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

const failuresShownMax = 10;
const failureLinesMax = 25;

/** Its first lines, without those of the test runner's own calls. @param {string} failure */
function shorten(failure) {
  const lines = failure.trimEnd().split('\n');
  const ours = lines.filter((line) => !/^ +at .*(node_modules|node:internal)/.test(line));
  return ours.slice(0, failureLinesMax).join('\n');
}

/**
 * A stage that cannot run, such as one whose code does not compile, has failed once.
 * @param {string} name @param {string[]} vitestArgs
 * @returns {Promise<import('./test-stages.mjs').Result>}
 */
async function runStage(name, vitestArgs) {
  const nothingRan = { passed: 0, failed: 1, skipped: 0 };
  try {
    return (await stages[name]?.run(vitestArgs)) ?? nothingRan;
  } catch (error) {
    process.stdout.write(`${explain(error)}\n`);
    return nothingRan;
  }
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof Stop) return `${error.detail.trimEnd()}\n${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

await runMain(async () => {
  const { names, vitestArgs } = parseArguments(process.argv.slice(2));
  const total = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const lines = [];
  /** @type {string[]} */
  const failures = [];
  try {
    await setUp(names.every((name) => stages[name]?.needs === 'dependencies'));
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.stdout.write(`${summary({ passed: 0, failed: 1, skipped: 0 })}\n`);
    return 1;
  }
  for (const name of names) {
    const startedMs = performance.now();
    process.stdout.write(`\n== ${name}\n`);
    const result = await runStage(name, vitestArgs);
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
    for (const failure of result.failures ?? []) failures.push(shorten(`${name}: ${failure}`));
    lines.push(`  ${name.padEnd(12)} ${summary(result)} (${seconds(startedMs)})`);
  }
  // Once more at the end, which is what a log that was cut still shows.
  if (failures.length > 0) {
    const shown = failures.slice(0, failuresShownMax);
    process.stdout.write(`\n== failed\n\n${shown.join('\n\n')}\n`);
  }
  process.stdout.write(`\n${lines.join('\n')}\n\n${summary(total)}\n`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
});
