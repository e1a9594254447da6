// Builds the addon when it is missing or stale: node-gyp, offline, headers from beside node or from
// node-api-headers. Also run directly: node scripts/build-native.mjs
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { hashOf, isFresh, markFresh } from './freshness.mjs';
import { generatePolicies } from './generate-policies.mjs';
import { nodeHeaders } from './node-headers.mjs';
import { addonFile, moduleFile, prebuildFile, root } from './paths.mjs';
import { requireCompiler, requirePlatform } from './prerequisites.mjs';
import { run } from './process.mjs';
import { step } from './progress.mjs';
import { runMain, Stop } from './stop.mjs';

/**
 * Of everything that decides the addon. Node's version is not part of it: the addon uses Node-API,
 * whose binary interface is the same on every Node; that it loads is tried on the running one.
 */
export function nativeHash() {
  return hashOf(
    ['native', 'binding.gyp', 'node_modules/node-addon-api/package.json'],
    [process.arch],
  );
}

/** @param {string} file */
async function loads(file) {
  if (!existsSync(file)) return false;
  const { code } = await run(process.execPath, ['-e', 'require(process.argv[1])', file]);
  return code === 0;
}

/** A binary that is up to date and loads here: the local build, else the prebuild. */
export async function addonIsFresh() {
  const hash = nativeHash();
  if (existsSync(addonFile)) return isFresh('addon', hash) && (await loads(addonFile));
  return isFresh('prebuild', hash) && (await loads(prebuildFile));
}

/**
 * `node-gyp configure build`: unlike `rebuild` it keeps the rest of build/ and what is up to date.
 * @param {object} options
 * @param {string} [options.nodePath] the node to build for
 * @param {string} [options.cwd] where binding.gyp is, and build/ goes
 * @param {string} options.target of binding.gyp
 * @param {string[]} [options.variables] gyp variables, as name=value
 * @param {((line: string) => void) | undefined} [options.report]
 */
export async function runNodeGyp({
  nodePath = process.execPath,
  cwd = root,
  target,
  variables = [],
  report,
}) {
  requireCompiler();
  const program = moduleFile('node-gyp/bin/node-gyp.js');
  const nodedir = `--nodedir=${nodeHeaders(nodePath)}`;
  const defines = variables.flatMap((variable) => ['-D', variable]);
  const configured = await run(nodePath, [program, 'configure', nodedir, '--', ...defines], {
    cwd,
  });
  if (configured.code !== 0) {
    throw new Stop('node-gyp configure failed: see its messages above.', configured.output);
  }
  const built = await run(nodePath, [program, 'build', target, nodedir, '--jobs', 'max'], {
    cwd,
    onLine: report,
  });
  if (built.code !== 0) {
    throw new Stop('The data plane does not compile: see the messages above.', built.output);
  }
}

/** @param {(line: string) => void} report */
export async function buildAddon(report) {
  const hash = nativeHash();
  await runNodeGyp({ target: 'sluice', report });
  if (!(await loads(addonFile))) {
    const { output } = await run(process.execPath, ['-p', 'require(process.argv[1])', addonFile]);
    throw new Stop('The addon was built but does not load: see the message above.', output);
  }
  markFresh('addon', hash);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    requirePlatform();
    generatePolicies();
    if (await addonIsFresh()) process.stderr.write('The addon is up to date.\n');
    else await step('addon', buildAddon);
    return 0;
  });
}
