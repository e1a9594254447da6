// Dependencies: `npm ci`, only when what is installed differs from package-lock.json.
import { existsSync, readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { findProgram, run } from './process.mjs';
import { Stop } from './stop.mjs';

/** @typedef {{ version?: string, integrity?: string, optional?: boolean }} LockedPackage */

/** @param {string} path @returns {Record<string, LockedPackage>} */
function lockedPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}

/**
 * npm records what it installed in node_modules/.package-lock.json. Packages for other platforms
 * are optional and absent there.
 */
export function dependenciesAreFresh() {
  const installedLock = inRoot('node_modules', '.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const installed = lockedPackages(installedLock);
  return Object.entries(lockedPackages(inRoot('package-lock.json'))).every(
    ([path, locked]) =>
      path === '' ||
      (locked.optional === true && installed[path] === undefined) ||
      (installed[path]?.version === locked.version &&
        installed[path]?.integrity === locked.integrity &&
        existsSync(inRoot(path))),
  );
}

/** @param {(detail: string) => void} report */
export async function installDependencies(report) {
  if (findProgram('npm') === null) {
    throw new Stop('sluice needs npm to install its dependencies: sudo apt-get install -y npm');
  }
  // No package of ours has an install script; --ignore-scripts keeps npm 10, 11 and 12 alike.
  const args = [
    'ci',
    '--ignore-scripts',
    '--include=dev',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
  ];
  const { code, output } = await run('npm', args, { onLine: report });
  if (code !== 0) throw new Stop('npm ci failed: see its messages above.', output);
}
