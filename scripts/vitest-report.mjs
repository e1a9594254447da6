// Counts from vitest's JSON report.
import { readFileSync, rmSync } from 'node:fs';

/**
 * A file that could not be loaded has no tests: it counts as one failure, as does an unhandled
 * error, which only the exit code tells. A report that is missing is a failure too.
 * @param {string} reportFile @param {number} exitCode
 * @returns {{ passed: number, failed: number, skipped: number }}
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
  };
}
