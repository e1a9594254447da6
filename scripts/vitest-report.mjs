// Counts and failures from vitest's JSON report.
import { readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { root } from './paths.mjs';

/**
 * A file that could not be loaded has no tests: it counts as one failure, as does an unhandled
 * error, which only the exit code tells. A report that is missing is a failure too.
 * @param {string} reportFile @param {number} exitCode
 * @returns {import('./test-stages.mjs').Result}
 */
export function readReport(reportFile, exitCode) {
  let report;
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    // The next run must not read this one's.
    rmSync(reportFile, { force: true });
  }
  const brokenFiles = report.testResults.filter(
    (/** @type {{ status: string, assertionResults: unknown[] }} */ file) =>
      file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
  const failed = report.numFailedTests + brokenFiles;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
    failures: report.testResults.flatMap(failuresOf),
  };
}

/**
 * @typedef {object} FileReport
 * @property {string} name
 * @property {string} status
 * @property {string} [message]
 * @property {{ status: string, fullName: string, failureMessages: string[] }[]} assertionResults
 */

/** Each failed test of a file with what it said. @param {FileReport} file */
function failuresOf(file) {
  if (file.status !== 'failed') return [];
  const where = relative(root, file.name ?? '');
  if (file.assertionResults.length === 0) return [`${where}\n${file.message ?? ''}`];
  return file.assertionResults
    .filter((test) => test.status === 'failed')
    .map((test) => `${where}: ${test.fullName}\n${test.failureMessages.join('\n')}`);
}
