// Exceptions from the rules of the house, each with its reason. One that excuses nothing fails.

export interface Exception {
  readonly rule: string;
  /** A file, or a folder ending in a slash. */
  readonly path: string;
  /** Only violations that say this; any when absent. */
  readonly what?: string;
  readonly reason: string;
}

export const exceptions: readonly Exception[] = [
  {
    rule: 'one vocabulary',
    path: 'docs/vocabulary.md',
    reason: 'lists the words of other products beside ours',
  },
  {
    rule: 'one vocabulary',
    path: 'src/import/',
    reason: 'reads the languages of other products, whose keywords are these words',
  },
  {
    rule: 'one vocabulary',
    path: 'test/unit/import/',
    reason: 'tests what reads the languages of other products',
  },
  {
    rule: 'one vocabulary',
    path: 'test/fixtures/import/',
    reason: 'configurations of other products, and what is made of them',
  },
  {
    rule: 'one vocabulary',
    path: 'docs/migration.md',
    reason: 'says what becomes of the words of other products',
  },
  {
    rule: 'one vocabulary',
    path: '.ci/run',
    what: 'DEBIAN_FRONTEND',
    reason: 'the name of a variable of apt',
  },
  {
    rule: 'one vocabulary',
    path: 'test/native/policy/weighted_round_robin_test.cpp',
    what: 'ngx_stream_upstream_get_peer',
    reason: 'the name of the function whose order the test demands',
  },
  {
    rule: 'a test waits for a condition, never for time to pass',
    path: 'test/e2e/sql-failover.test.ts',
    what: 'do sleep(0.02)',
    reason: 'SQL of a query that runs until it is told: the pause of its own loop in the server',
  },
];
