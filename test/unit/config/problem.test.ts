// How problems look: one line with the place, the source line, a caret under the fault.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  type ConfigProblem,
  fileProblem,
  formatPath,
  formatProblem,
  formatProblems,
  problemStyle,
} from '../../../src/config/problem.js';
import { load, withBind } from '../../support/bad-file.js';

const plain = { colour: false };

const problem: ConfigProblem = {
  severity: 'error',
  code: 'SLUICE_CONFIG_VALUE',
  file: 'sluice.yaml',
  line: 6,
  column: 13,
  path: 'pools.web.policy',
  message: '"rr" is not a policy',
  suggestion: 'round_robin',
  sourceLine: '    policy: rr',
};

/** The character that the caret of `text` stands under. */
function underCaret(text: string): string {
  const [, source = '', caret = ''] = text.split('\n');
  return source.charAt(caret.indexOf('^'));
}

test('a problem is its place, path, message, suggestion, code, line and a caret', () => {
  expect(formatProblem(problem, plain)).toBe(
    'sluice.yaml:6:13  pools.web.policy  "rr" is not a policy; did you mean round_robin?' +
      '  SLUICE_CONFIG_VALUE\n' +
      '        policy: rr\n' +
      '                ^',
  );
});

test('a problem of the whole file has no line and no caret', () => {
  const missing = fileProblem('x.yaml', 'SLUICE_CONFIG_FILE_MISSING', 'there is no such file');
  expect(formatProblem(missing, plain)).toBe(
    'x.yaml  there is no such file  SLUICE_CONFIG_FILE_MISSING',
  );
});

test('a warning says so', () => {
  const text = formatProblem({ ...problem, severity: 'warning' }, plain);
  expect(text).toContain('  warning: "rr" is not a policy');
});

test('the caret stands under the fault behind tabs, wide characters and in long lines', () => {
  const at = (sourceLine: string, mark: string) =>
    formatProblem({ ...problem, sourceLine, column: sourceLine.indexOf(mark) + 1 }, plain);
  expect(underCaret(at('\tpolicy:\tX', 'X'))).toBe('X');
  expect(underCaret(at(`${' '.repeat(300)}policy: X${' y'.repeat(300)}`, 'X'))).toBe('X');
  // A wide character takes two columns on a terminal.
  expect(at('name: 世界 X', 'X').split('\n')[2]).toBe(`    ${' '.repeat(11)}^`);
  for (const line of at(`${'a'.repeat(5000)}X`, 'X')
    .split('\n')
    .slice(1)) {
    expect(line.length).toBeLessThan(120);
  }
});

test('terminal escapes in a file never reach the terminal', () => {
  const text = formatProblem(
    {
      ...problem,
      file: 'a\x1b[2J',
      path: 'x\u202e',
      message: '\x1b]0;title\x07',
      sourceLine: '\x9b31m',
    },
    plain,
  );
  for (const control of ['\x1b', '\x07', '\x9b', '\u202e']) expect(text).not.toContain(control);
});

test('colours are for terminals, unless NO_COLOR is set', () => {
  expect(problemStyle({ isTTY: true }, {})).toEqual({ colour: true });
  expect(problemStyle({ isTTY: true }, { NO_COLOR: '' })).toEqual({ colour: true });
  expect(problemStyle({ isTTY: true }, { NO_COLOR: '1' })).toEqual({ colour: false });
  expect(problemStyle({ isTTY: true }, { TERM: 'dumb' })).toEqual({ colour: false });
  expect(problemStyle({ isTTY: false }, {})).toEqual({ colour: false });
  expect(problemStyle({}, {})).toEqual({ colour: false });
});

test('with colours the text is the same', () => {
  const text = formatProblem(problem, { colour: true });
  expect(text).toContain('\x1b[31m');
  expect(stripVTControlCharacters(text)).toBe(formatProblem(problem, plain));
});

test('a path is written as it would be said', () => {
  expect(formatPath(['pools', 'web', 'targets', 2, 'weight'])).toBe('pools.web.targets[2].weight');
  expect(formatPath(['pools', 'a b'])).toBe('pools["a b"]');
  expect(formatPath([])).toBe('');
});

describe('a real file', () => {
  test('shows its first fault first, and points at it', () => {
    const result = load(withBind('"127.0.0.1:70000"\n    idle: 5'));
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(formatProblems(result.errors, plain)).toBe(
      'sluice.yaml:4:11  listeners.web.bind  port 70000 is above 65535  SLUICE_CONFIG_PORT\n' +
        '        bind: "127.0.0.1:70000"\n' +
        '              ^\n' +
        'sluice.yaml:5:5  listeners.web.idle  no key "idle" here; did you mean timeouts.idle?' +
        '  SLUICE_CONFIG_UNKNOWN_KEY\n' +
        '        idle: 5\n' +
        '        ^\n',
    );
  });
});
