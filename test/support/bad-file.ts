// Bad configuration files as tables: a name, the text, and every problem that it must be told of.
import { expect, test } from 'vitest';
import { type LoadResult, loadConfig } from '../../src/config/load.js';
import type { Machine } from '../../src/config/machine.js';
import type { ErrorCode } from '../../src/errors.js';

export interface BadFile {
  readonly name: string;
  readonly text: string | Uint8Array;
  /** line:column, code, a part of the message, the suggestion; all of them, in order. */
  readonly problems: readonly (readonly [string, ErrorCode, string, string?])[];
}

export const testMachine: Machine = { cpus: 2, interfaceIndex: () => null };

export function load(text: string | Uint8Array): LoadResult {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return loadConfig(bytes, 'sluice.yaml', testMachine);
}

/** The lines under test stand at line 4, column 5. */
export function withListener(lines: string): string {
  return `listeners:
  web:
    pool: web
    ${lines}
pools:
  web:
    targets: ["10.0.0.1:80"]
`;
}

/** The value under test stands at line 4, column 11. */
export function withBind(lines: string): string {
  return withListener(`bind: ${lines}`);
}

/** The lines under test stand at line 6, column 5. */
export function withPool(lines: string): string {
  return `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web:
    targets: ["10.0.0.1:80"]
    ${lines}
`;
}

/** The target under test stands at line 6, column 9. */
export function withTarget(line: string): string {
  return `listeners:
  web: { bind: "127.0.0.1:80", pool: web }
pools:
  web:
    targets:
      - ${line}
`;
}

/** The line under test stands at line 5, column 1. */
export function withTop(line: string): string {
  return `listeners:
  web: { bind: "127.0.0.1:8080", pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
${line}
`;
}

/** One test per file, for errors or for the warnings of a file that is otherwise good. */
export function testBadFiles(kind: 'errors' | 'warnings', files: readonly BadFile[]): void {
  test.each(files)('$name', ({ text, problems }) => {
    const result = load(text);
    expect(result.ok).toBe(kind === 'warnings');
    const found = kind === 'errors' && !result.ok ? result.errors : result.warnings;
    const places = found.map(({ line, column, code, suggestion }) => [
      `${line}:${column}`,
      code,
      suggestion,
    ]);
    expect(places).toEqual(problems.map(([place, code, , meant]) => [place, code, meant]));
    for (const [index, [, , fragment]] of problems.entries()) {
      expect(found[index]?.message).toContain(fragment);
    }
  });
}
