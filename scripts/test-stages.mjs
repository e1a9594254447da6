// The stages of `npm test` in their order: each runs something and says how many passed.
import { mkdirSync } from 'node:fs';
import { compareExports } from './compare-exports.mjs';
import { lint } from './lint.mjs';
import { buildPlainTests, runFuzzers, runSanitized } from './native-tests.mjs';
import { nodeMatrix } from './node-matrix.mjs';
import { inRoot, moduleFile } from './paths.mjs';
import { run } from './process.mjs';
import { hasTool } from './tools.mjs';
import { readReport } from './vitest-report.mjs';

/**
 * @typedef {object} Result
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} [failures] what failed and what it said, as far as it is known
 */
/**
 * @typedef {object} Stage
 * @property {'dependencies' | 'build'} needs what must be set up before
 * @property {(vitestArgs: string[]) => Promise<Result>} run
 */

/** One check that has no parts. @param {boolean} passed @returns {Result} */
const single = (passed) => ({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 });

/** @param {string} project @param {string[]} vitestArgs */
async function vitest(project, vitestArgs) {
  const reportFile = inRoot('.cache', 'reports', `${project}.json`);
  mkdirSync(inRoot('.cache', 'reports'), { recursive: true });
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json'];
  const { code } = await run(
    process.execPath,
    [moduleFile('vitest/vitest.mjs'), ...args, `--outputFile.json=${reportFile}`, ...vitestArgs],
    { show: true },
  );
  return readReport(reportFile, code);
}

/** @param {string} project @param {Stage['needs']} needs @returns {Stage} */
const vitestStage = (project, needs) => ({ needs, run: (args) => vitest(project, args) });

/** @param {string[]} vitestArgs */
async function native(vitestArgs) {
  // Here rather than in the test file, so that a compiler's messages are shown whole.
  if (hasTool('doctest')) await buildPlainTests();
  return vitest('native', vitestArgs);
}

async function typecheck() {
  const program = moduleFile('typescript/bin/tsc');
  // The dashboard is for another machine: the browser.
  const projects = ['test/tsconfig.json', 'src/dashboard/tsconfig.json'];
  let passed = 0;
  for (const project of projects) {
    const args = [program, '--noEmit', '--project', project];
    if ((await run(process.execPath, args, { show: true })).code === 0) passed++;
  }
  return { passed, failed: projects.length - passed, skipped: 0 };
}

/** Five rows of the bench: fails on a broken measurement only, never on a slow one. */
async function bench() {
  const program = inRoot('bench', 'bench.mjs');
  return single((await run(process.execPath, [program, '--quick'], { show: true })).code === 0);
}

/** @type {Record<string, Stage>} */
export const stages = {
  tidy: vitestStage('tidy', 'dependencies'),
  typecheck: { needs: 'build', run: typecheck },
  lint: { needs: 'dependencies', run: () => lint() },
  unit: vitestStage('unit', 'dependencies'),
  native: { needs: 'dependencies', run: native },
  integration: vitestStage('integration', 'build'),
  e2e: vitestStage('e2e', 'build'),
  asan: { needs: 'dependencies', run: () => runSanitized('address') },
  tsan: { needs: 'dependencies', run: () => runSanitized('thread') },
  fuzz: { needs: 'dependencies', run: () => runFuzzers() },
  bench: { needs: 'build', run: bench },
  exports: { needs: 'build', run: compareExports },
  'node-matrix': { needs: 'build', run: () => nodeMatrix() },
};

/** What `npm test` runs; the others are `npm run test:...`, and .ci/run runs all. */
export const defaultStages = ['tidy', 'typecheck', 'lint', 'unit', 'native', 'integration', 'e2e'];
