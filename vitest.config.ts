// The test stages as vitest projects; scripts/test.mjs runs them one after the other.
import { defineConfig } from 'vitest/config';

interface Stage {
  readonly name: string;
  readonly include: string[];
  readonly testTimeoutMs: number;
  /** Files at once: loads and timings of one real process must not disturb another's. */
  readonly workersMax: number;
}

// No stage retries: a test that passes the second time has found a race.
const stages: readonly Stage[] = [
  { name: 'tidy', include: ['test/tidy.test.ts'], testTimeoutMs: 60_000, workersMax: 1 },
  { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeoutMs: 20_000, workersMax: 2 },
  { name: 'native', include: ['test/native.test.ts'], testTimeoutMs: 120_000, workersMax: 1 },
  {
    name: 'integration',
    include: ['test/integration/**/*.test.ts'],
    testTimeoutMs: 30_000,
    workersMax: 2,
  },
  { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeoutMs: 120_000, workersMax: 1 },
];

export default defineConfig({
  test: {
    projects: stages.map(({ name, include, testTimeoutMs, workersMax }) => ({
      test: {
        name,
        include,
        pool: 'forks' as const,
        maxWorkers: workersMax,
        testTimeout: testTimeoutMs,
        hookTimeout: testTimeoutMs,
        // Building the C++ tests may be part of loading the file.
        ...(name === 'native' ? { teardownTimeout: 10_000 } : {}),
      },
    })),
  },
});
