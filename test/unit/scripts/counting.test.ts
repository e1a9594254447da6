// The closing line of a test run must not hide a failure, however it came about.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hashOf } from '../../../scripts/freshness.mjs';
import { readDoctestFailures, readDoctestSummary } from '../../../scripts/native-tests.mjs';
import { readReport } from '../../../scripts/vitest-report.mjs';

function reportFile(report: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'report.json');
  writeFileSync(file, JSON.stringify(report));
  return file;
}

const green = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 1,
  testResults: [{ status: 'passed', assertionResults: [{}] }],
};

describe('counts of a vitest run', () => {
  it('are those of its report', () => {
    expect(readReport(reportFile(green), 0)).toEqual({
      passed: 3,
      failed: 0,
      skipped: 2,
      failures: [],
    });
  });

  it('hold a file that could not be loaded as failed', () => {
    const broken = { status: 'failed', assertionResults: [] };
    const report = { ...green, testResults: [...green.testResults, broken] };
    expect(readReport(reportFile(report), 1)).toMatchObject({ failed: 1 });
  });

  it('hold an exit code without a failed test as failed', () => {
    expect(readReport(reportFile(green), 1)).toMatchObject({ failed: 1 });
  });

  it('come with what failed and what it said', () => {
    const failed = {
      status: 'failed',
      fullName: 'a sum is right',
      failureMessages: ['1 is not 2'],
    };
    const passed = { status: 'passed', fullName: 'a sum ends', failureMessages: [] };
    const file = { name: 'sum.test.ts', status: 'failed', assertionResults: [failed, passed] };
    const report = { ...green, numFailedTests: 1, testResults: [file] };
    const { failures } = readReport(reportFile(report), 1);
    expect(failures).toEqual([expect.stringMatching(/sum\.test\.ts: a sum is right\n1 is not 2$/)]);
  });

  it('hold a missing report as failed, and a report is read once', () => {
    const file = reportFile(green);
    readReport(file, 0);
    expect(readReport(file, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

describe('counts of a doctest run', () => {
  it('are those of its last lines', () => {
    const report = '[doctest] test cases:   7 |   5 passed | 2 failed | 0 skipped\n';
    expect(readDoctestSummary(report)).toEqual({ passed: 5, failed: 2, skipped: 0 });
  });

  it('come with the cases that failed', () => {
    const rule = '='.repeat(79);
    const failed = 'sum_test.cpp:7:\nTEST CASE:  sums\n\nsum_test.cpp:9: ERROR: CHECK( a == b )';
    const summary = '[doctest] test cases: 7 | 6 passed | 1 failed |';
    const report = `${rule}\n${failed}\n\n${rule}\n${summary}`;
    expect(readDoctestFailures(report)).toEqual([failed]);
  });

  it('are unknown when it crashed', () => {
    expect(readDoctestSummary('AddressSanitizer: heap-use-after-free')).toBeNull();
  });
});

describe('staleness', () => {
  it('is told by content and by facts', () => {
    const hash = hashOf(['LICENSE', 'scripts'], ['x64']);
    expect(hashOf(['LICENSE', 'scripts'], ['x64'])).toBe(hash);
    expect(hashOf(['LICENSE', 'scripts'], ['arm64'])).not.toBe(hash);
    expect(hashOf(['LICENSE'], ['x64'])).not.toBe(hash);
    expect(hashOf(['LICENSE', 'scripts', 'no-such-file'], ['x64'])).toBe(hash);
  });
});
