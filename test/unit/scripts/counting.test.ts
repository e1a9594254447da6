// The closing line of a test run must not hide a failure, however it came about.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hashOf } from '../../../scripts/freshness.mjs';
import { readDoctestSummary } from '../../../scripts/native-tests.mjs';
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
    expect(readReport(reportFile(green), 0)).toEqual({ passed: 3, failed: 0, skipped: 2 });
  });

  it('hold a file that could not be loaded as failed', () => {
    const broken = { status: 'failed', assertionResults: [] };
    const report = { ...green, testResults: [...green.testResults, broken] };
    expect(readReport(reportFile(report), 1)).toMatchObject({ failed: 1 });
  });

  it('hold an exit code without a failed test as failed', () => {
    expect(readReport(reportFile(green), 1)).toMatchObject({ failed: 1 });
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
