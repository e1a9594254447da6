// Lint and format: biome for TypeScript, JavaScript and JSON; clang-format for C++.
//   node scripts/lint.mjs           reports          node scripts/lint.mjs --write    formats
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRoot, moduleFile } from './paths.mjs';
import { run } from './process.mjs';
import { runMain } from './stop.mjs';
import { requireTools } from './tools.mjs';

/** @param {string} folder @returns {string[]} */
function cppFiles(folder) {
  return readdirSync(inRoot(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(cpp|h)$/.test(name))
    .map((name) => join(folder, name))
    .sort();
}

/** @param {boolean} write */
async function biome(write) {
  const mode = write ? ['check', '--write'] : ['check', '--error-on-warnings'];
  const program = moduleFile('@biomejs/biome/bin/biome');
  return (await run(process.execPath, [program, ...mode], { show: true })).code === 0;
}

/** @param {boolean} write */
async function clangFormat(write) {
  const files = [...cppFiles('native'), ...cppFiles('test/native'), ...cppFiles('bench')];
  const mode = write ? ['-i'] : ['--dry-run', '--Werror'];
  return (await run('clang-format-19', [...mode, ...files], { show: true })).code === 0;
}

/** @param {boolean} [write] @returns {Promise<import('./test-stages.mjs').Result>} */
export async function lint(write = false) {
  const outcomes = [await biome(write)];
  const formats = requireTools(['clang-format-19'], 'C++ format check');
  if (formats) outcomes.push(await clangFormat(write));
  const passed = outcomes.filter(Boolean).length;
  return { passed, failed: outcomes.length - passed, skipped: formats ? 0 : 1 };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => ((await lint(process.argv.includes('--write'))).failed === 0 ? 0 : 1));
}
