// Builds the addon a second time, with cmake-js, and holds both builds equal in what they export:
// the symbols of the shared object and the names that JavaScript sees.
import { addonFile, inRoot, moduleFile } from './paths.mjs';
import { run } from './process.mjs';
import { step } from './progress.mjs';
import { Stop } from './stop.mjs';
import { requireTools } from './tools.mjs';

const listNames = `
  const seen = (value) => typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, seen(value[key])]))
    : typeof value;
  console.log(JSON.stringify(seen(require(process.argv[1]))));
`;

/** @param {string} file */
async function exportsOf(file) {
  const names = await run(process.execPath, ['-e', listNames, file]);
  const symbols = await run('nm', ['--dynamic', '--defined-only', '--format=just-symbols', file]);
  if (names.code !== 0 || symbols.code !== 0) {
    throw new Stop(`The exports of ${file} cannot be read.`, names.output + symbols.output);
  }
  return {
    names: names.output.trim(),
    symbols: symbols.output.trim().split('\n').sort().join(' '),
  };
}

/** @param {(line: string) => void} report */
async function buildWithCmakeJs(report) {
  const folder = inRoot('build', 'cmake-js');
  // Exports do not depend on it, and -O3 takes twice as long.
  const fast = '--CDCMAKE_CXX_FLAGS_RELEASE=-O1';
  const args = [moduleFile('cmake-js/bin/cmake-js'), 'compile', '--out', folder, fast];
  const { code, output } = await run(process.execPath, args, { onLine: report });
  if (code !== 0) throw new Stop('cmake-js does not build the addon: see above.', output);
  return `${folder}/Release/sluice.node`;
}

/** @returns {Promise<import('./test-stages.mjs').Result>} */
export async function compareExports() {
  if (!requireTools(['cmake'], 'cmake-js build')) return { passed: 0, failed: 0, skipped: 1 };
  const other = await step('addon (cmake-js)', buildWithCmakeJs);
  const [gyp, cmake] = [await exportsOf(addonFile), await exportsOf(other)];
  const equal = gyp.names === cmake.names && gyp.symbols === cmake.symbols;
  if (!equal) {
    process.stdout.write(`exports differ\nnode-gyp: ${JSON.stringify(gyp)}\n`);
    process.stdout.write(`cmake-js: ${JSON.stringify(cmake)}\n`);
  }
  return { passed: equal ? 1 : 0, failed: equal ? 0 : 1, skipped: 0 };
}
