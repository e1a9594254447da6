// Shows every C++ unit test as a test of its own: builds the native test program, lists its cases
// and runs each in a process of its own, so that a crash has a name and hides nothing else.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { buildPlainTests } from '../scripts/native-tests.mjs';
import { requireTools } from './support/require-tool.js';

const execute = promisify(execFile);

interface NativeCase {
  readonly room: string;
  readonly name: string;
  /** From 1, in the order of --order-by=file. */
  readonly position: number;
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}

/** The room is the folder below test/native. */
function roomOf(file: string): string {
  return /test\/native\/([a-z]+)\//.exec(file)?.[1] ?? 'native';
}

function casesIn(xml: string): NativeCase[] {
  const pattern = /<TestCase name="([^"]*)"[^>]*? filename="([^"]*)"/g;
  return [...xml.matchAll(pattern)].map(([, name = '', file = ''], index) => ({
    room: roomOf(file),
    name: unescapeXml(name).trim(),
    position: index + 1,
  }));
}

/** The report, which names the case that ran; a crash is added in words. */
async function runCase(program: string, { position }: NativeCase): Promise<string> {
  const range = [`--first=${position}`, `--last=${position}`];
  const options = ['--order-by=file', '--no-colors=true', '--duration=true', ...range];
  try {
    return (await execute(program, options)).stdout;
  } catch (error) {
    const { stdout, stderr, signal } = error as {
      stdout: string;
      stderr: string;
      signal: string | null;
    };
    return `${stdout}${stderr}${signal === null ? '' : `ended by ${signal}`}`;
  }
}

const available = requireTools('doctest');
const program = available ? await buildPlainTests() : '';
const listed = available
  ? await execute(program, ['--list-test-cases', '--reporters=xml', '--order-by=file'])
  : { stdout: '' };
const cases = casesIn(listed.stdout);

describe.runIf(available)('native', () => {
  test('the test program lists its cases', () => {
    expect(cases.length).toBeGreaterThan(0);
  });
  for (const nativeCase of cases) {
    test(`${nativeCase.room}: ${nativeCase.name}`, async () => {
      const output = await runCase(program, nativeCase);
      expect(output).toContain('Status: SUCCESS!');
      expect(output).toContain(` s: ${nativeCase.name}\n`);
      // A case without assertions could not fail.
      expect(output).toMatch(/assertions: +[1-9]\d* \| +[1-9]\d* passed \| 0 failed/);
    });
  }
});
