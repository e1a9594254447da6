// What the machine must have before anything can be built: each lack is one sentence that names the
// Debian package. This file and its imports must parse on Node versions that are too old for us.
import { findProgram } from './process.mjs';
import { Stop } from './stop.mjs';

/** The lowest Node that package.json allows. */
const nodeMin = [20, 19];

/** @param {string} version such as 20.19.1 */
export function nodeIsTooOld(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin = 0, minorMin = 0] = nodeMin;
  return major < majorMin || (major === majorMin && minor < minorMin);
}

/** Throws a Stop when this is not a machine for sluice. */
export function requirePlatform() {
  if (process.platform !== 'linux') {
    throw new Stop(`sluice runs on Linux only, this is ${process.platform}.`);
  }
  if (nodeIsTooOld(process.versions.node)) {
    throw new Stop(
      `sluice needs Node.js ${nodeMin.join('.')} or newer, this is ${process.versions.node}: ` +
        'install the Debian package nodejs in version 20 or newer (see nodejs.org/download).',
    );
  }
}

/** Throws a Stop when the data plane cannot be compiled here. */
export function requireCompiler() {
  const missing = ['g++', 'make', 'python3'].filter((name) => findProgram(name) === null);
  if (missing.length > 0) {
    throw new Stop(
      `sluice needs ${missing.join(', ')} to build its data plane: ` +
        `sudo apt-get install -y ${missing.join(' ')}`,
    );
  }
}
