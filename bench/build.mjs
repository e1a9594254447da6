// The bench's own C++ programs, built by CMake under build/bench.
import { hashOf, isFresh, markFresh } from '../scripts/freshness.mjs';
import { inRoot } from '../scripts/paths.mjs';
import { findProgram, run } from '../scripts/process.mjs';
import { step } from '../scripts/progress.mjs';
import { Stop } from '../scripts/stop.mjs';

const folder = inRoot('build', 'bench');

/** The path of a built program. @param {string} name */
export const program = (name) => inRoot('build', 'bench', name);

/** @param {{ micro?: boolean }} [options] */
export async function buildPrograms({ micro = false } = {}) {
  const missing = ['cmake', 'g++', 'make'].filter((name) => findProgram(name) === null);
  if (missing.length > 0) {
    const names = missing.join(' ');
    throw new Stop(`The bench needs ${names} for its programs: sudo apt-get install -y ${names}`);
  }
  // The two kinds differ in what they need of the data plane, so each is fresh or not for itself.
  const name = micro ? 'bench-micro' : 'bench-programs';
  const target = micro ? ['--target', 'micro'] : [];
  const buildFolder = micro ? `${folder}-micro` : folder;
  const sources = micro
    ? ['native', 'bench/micro']
    : ['native/os', 'bench/generators', 'bench/floor'];
  const hash = hashOf([...sources, 'bench/CMakeLists.txt'], [process.arch]);
  if (isFresh(name, hash)) return;
  await step(`bench programs${micro ? ' (micro)' : ''}`, async (report) => {
    const option = `-DSLUICE_MICRO=${micro ? 'ON' : 'OFF'}`;
    const configured = await run('cmake', ['-S', inRoot('bench'), '-B', buildFolder, option]);
    if (configured.code !== 0) throw new Stop('cmake failed: see above.', configured.output);
    const built = await run('cmake', ['--build', buildFolder, ...target, '-j', '2'], {
      onLine: report,
    });
    if (built.code !== 0) throw new Stop('The bench programs do not compile.', built.output);
  });
  markFresh(name, hash);
}

/** The micro-benchmarks' program. */
export const microProgram = inRoot('build', 'bench-micro', 'micro');
