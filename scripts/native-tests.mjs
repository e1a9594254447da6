// The C++ unit tests and fuzzers, without Node: built by node-gyp (what users have) or, under
// sanitizers, by CMake, one folder each under build/.
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { runNodeGyp } from './build-native.mjs';
import { hashOf, isFresh, markFresh } from './freshness.mjs';
import { inRoot } from './paths.mjs';
import { findProgram, run } from './process.mjs';
import { step } from './progress.mjs';
import { Stop } from './stop.mjs';
import { requireTools } from './tools.mjs';

const plainBinary = inRoot('build', 'Release', 'native_tests');

/** Builds the tests with the flags of a release and returns the program. */
export async function buildPlainTests() {
  const hash = hashOf(['native', 'test/native', 'binding.gyp'], [process.arch]);
  if (!existsSync(plainBinary) || !isFresh('native-tests', hash)) {
    await step('native tests', (report) =>
      runNodeGyp({ target: 'native_tests', variables: ['sluice_native_tests=1'], report }),
    );
    markFresh('native-tests', hash);
  }
  return plainBinary;
}

/**
 * @param {'address' | 'thread' | 'fuzzer'} sanitizer
 * @returns {Promise<string>} the build folder
 */
async function buildWithCmake(sanitizer) {
  const folder = inRoot('build', sanitizer);
  const compiler = sanitizer === 'fuzzer' ? ['-DCMAKE_CXX_COMPILER=clang++-14'] : [];
  await step(`native tests (${sanitizer})`, async (report) => {
    const configured = await run('cmake', [
      ...['-S', inRoot('native'), '-B', folder, '-G', 'Ninja', `-DSLUICE_SANITIZE=${sanitizer}`],
      ...compiler,
    ]);
    if (configured.code !== 0) throw new Stop('cmake failed: see above.', configured.output);
    const built = await run('cmake', ['--build', folder], { onLine: report });
    if (built.code !== 0) throw new Stop('The C++ tests do not compile.', built.output);
  });
  return folder;
}

/** What the last line of doctest's report says of all cases. @param {string} report */
export function readDoctestSummary(report) {
  const match = /test cases: +\d+ \| +(\d+) passed \| +(\d+) failed/.exec(report);
  if (match === null) return null;
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: 0 };
}

/** The cases of doctest's report that failed, each with its messages. @param {string} report */
export function readDoctestFailures(report) {
  return report.split(/^={10,}$/m).flatMap((part) => {
    const failure = part.trim();
    return / (?:FATAL )?ERROR: |SIGNAL|EXCEPTION/.test(failure) ? [failure] : [];
  });
}

/** Where the kernel randomises addresses widely, ThreadSanitizer of g++ 12 needs it off. */
async function withoutAddressRandomisation() {
  const setarch = findProgram('setarch');
  if (setarch === null) return [];
  return (await run(setarch, ['-R', 'true'])).code === 0 ? [setarch, '-R'] : [];
}

/**
 * Builds and runs the C++ tests under a sanitizer.
 * @param {'address' | 'thread'} sanitizer
 * @returns {Promise<import('./test-stages.mjs').Result>}
 */
export async function runSanitized(sanitizer) {
  if (!requireTools(['cmake', 'ninja', 'doctest'], `${sanitizer} sanitizer run`)) {
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const folder = await buildWithCmake(sanitizer);
  const program = `${folder}/native_tests`;
  const wrapper = sanitizer === 'thread' ? await withoutAddressRandomisation() : [];
  const [command = program, ...args] = [...wrapper, program, '--no-colors=true'];
  const { code, output } = await run(command, args, {
    env: {
      ASAN_OPTIONS: 'detect_leaks=1:strict_string_checks=1:check_initialization_order=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
      TSAN_OPTIONS: 'halt_on_error=0:second_deadlock_stack=1',
    },
  });
  const summary = readDoctestSummary(output);
  if (code !== 0) process.stdout.write(output);
  const cases = readDoctestFailures(output);
  // A sanitizer's report fails the program, not a case, and stands at the end.
  const failures = code === 0 || cases.length > 0 ? cases : [output.slice(-4000)];
  if (summary === null) return { passed: 0, failed: 1, skipped: 0, failures };
  const failed = summary.failed === 0 && code !== 0 ? 1 : summary.failed;
  return { ...summary, failed, failures };
}

/** @param {string} program @param {string} seconds */
async function runFuzzer(program, seconds) {
  const corpus = inRoot('build', 'corpus', basename(program));
  mkdirSync(corpus, { recursive: true });
  const findings = `-artifact_prefix=${corpus}-`;
  const limits = [`-max_total_time=${seconds}`, '-timeout=5', '-rss_limit_mb=1024'];
  const { code, output } = await run(program, [corpus, findings, ...limits]);
  const lastLines = output
    .trimEnd()
    .split('\n')
    .slice(code === 0 ? -1 : -60);
  process.stdout.write(`${basename(program)}: ${lastLines.join('\n')}\n`);
  return code === 0;
}

/**
 * Builds every fuzzer with clang and runs each for SLUICE_FUZZ_SECONDS (20).
 * @returns {Promise<import('./test-stages.mjs').Result>}
 */
export async function runFuzzers() {
  if (!requireTools(['cmake', 'ninja', 'clang++-14'], 'fuzzers')) {
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const folder = await buildWithCmake('fuzzer');
  const programs = readdirSync(folder).filter((name) => name.endsWith('_fuzz'));
  const seconds = process.env['SLUICE_FUZZ_SECONDS'] ?? '20';
  let passed = 0;
  for (const name of programs) passed += (await runFuzzer(`${folder}/${name}`, seconds)) ? 1 : 0;
  return { passed, failed: programs.length - passed, skipped: 0 };
}
