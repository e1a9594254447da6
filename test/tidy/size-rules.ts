// How large a file, a function and a line may be.
import ts from 'typescript';
import {
  isCpp,
  isTest,
  isTypeScript,
  type Rule,
  type SourceFile,
  sample,
  type Violation,
  withoutCppComments,
} from './rule.js';

const fileLinesMax = 400;
const testFileLinesMax = 600;
const functionLinesMax = 70;
const lineColumnsMax = 100;

const isCode = (file: SourceFile): boolean => isTypeScript(file) || isCpp(file);

const fileLength: Rule = {
  name: `a file has at most ${fileLinesMax} lines, a test ${testFileLinesMax}`,
  check: (files) =>
    files.filter(isCode).flatMap((file) => {
      const lines = file.text.trimEnd().split('\n').length;
      const limit = isTest(file) ? testFileLinesMax : fileLinesMax;
      return lines > limit ? [{ path: file.path, line: 0, what: `${lines} lines` }] : [];
    }),
  bad: [
    [sample('src/a.ts', '// x\n'.repeat(fileLinesMax + 1))],
    [sample('test/unit/a.test.ts', '// x\n'.repeat(testFileLinesMax + 1))],
  ],
};

/** Long words, such as addresses in comments, cannot be broken. */
function isTooLong(line: string): boolean {
  return line.length > lineColumnsMax && !/^\s*(\/\/|\*|#)?\s*\S+$/.test(line);
}

const lineLength: Rule = {
  name: `a line of code has at most ${lineColumnsMax} columns`,
  check: (files) =>
    files
      .filter(isCode)
      .flatMap((file) =>
        file.text
          .split('\n')
          .flatMap((line, index) =>
            isTooLong(line)
              ? [{ path: file.path, line: index + 1, what: `${line.length} columns` }]
              : [],
          ),
      ),
  bad: [[sample('native/os/a.cpp', `// ${'word '.repeat(25)}\n`)]],
};

/** `describe` takes a function only to group tests: its length means nothing. */
function isGroupOfTests(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText());
}

function longFunctions(file: SourceFile): Violation[] {
  const parsed = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number) => parsed.getLineAndCharacterOfPosition(position).line + 1;
  const found: Violation[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && !isGroupOfTests(node)) {
      const line = lineOf(node.getStart());
      const length = lineOf(node.getEnd()) - line + 1;
      if (length > functionLinesMax) {
        found.push({ path: file.path, line, what: `a function of ${length} lines` });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

/** Text before a brace that opens neither a function nor a block inside one. */
const opensNoFunction = /^\s*(inline\s+)?(namespace|class|struct|union|enum|extern)\b|=\s*$/;
const templateOf = /template\s*<.*?>\s*(?=class|struct|union)/;

interface OpenBrace {
  readonly line: number;
  readonly isFunction: boolean;
  readonly header: string;
}

/**
 * Functions of a C++ file by matching braces: one begins at a brace whose statement has a parameter
 * list, at the level of namespaces and classes.
 */
function longCppFunctions(file: SourceFile): Violation[] {
  const found: Violation[] = [];
  const open: OpenBrace[] = [];
  let statement = '';
  let statementLine = 1;
  let line = 1;
  const text = withoutCppComments(file.text).replace(/^#(.*\\\n)*.*/gm, blankDirective);
  for (const [index, character] of [...text].entries()) {
    if (character === '\n') line++;
    if (character === '{') {
      const header = statement.replace(templateOf, '').trim();
      const inFunction = open.some(({ isFunction }) => isFunction);
      const isFunction = !inFunction && header.includes(')') && !opensNoFunction.test(header);
      open.push({ line: statementLine, isFunction, header: statement });
      statement = '';
    } else if (character === '}') {
      const start = open.pop();
      // `: x_{x}, y_{y} {`: these braces belong to the statement that goes on.
      const goesOn =
        start?.isFunction === true && /^\s*[,{]/.test(text.slice(index + 1, index + 99));
      statement = goesOn ? `${start.header}{}` : '';
      if (goesOn) statementLine = start.line;
      const length = line - (start?.line ?? line) + 1;
      if (start?.isFunction && !goesOn && length > functionLinesMax) {
        found.push({ path: file.path, line: start.line, what: `a function of ${length} lines` });
      }
    } else if (character === ';') {
      statement = '';
    } else if (statement !== '' || !/\s/.test(character)) {
      if (statement === '') statementLine = line;
      statement += character;
    }
  }
  return found;
}

function blankDirective(directive: string): string {
  return directive.replace(/[^\n]/g, ' ');
}

const longBody = Array.from({ length: functionLinesMax }, () => '    f();');

const functionLength: Rule = {
  name: `a function has at most ${functionLinesMax} lines`,
  check: (files) => [
    ...files.filter(isTypeScript).flatMap(longFunctions),
    ...files.filter(isCpp).flatMap(longCppFunctions),
  ],
  bad: [
    [sample('src/a.ts', `export function f(): void {\n${'  g();\n'.repeat(70)}}\n`)],
    [sample('src/b.ts', `export const f = {\n  g() {\n${'  h();\n'.repeat(70)}  },\n};\n`)],
    [sample('native/a.cpp', `namespace a {\nvoid f(int x) {\n${'  g();\n'.repeat(70)}}\n}\n`)],
    [sample('native/c.h', `#define A(X) \\\n  X(a)\nvoid f() {\n${'  g();\n'.repeat(70)}}\n`)],
    [
      sample(
        'native/b.h',
        ['class A {', ' public:', '  A(int x)', '      : x_{x} {', ...longBody, '  }', '};'].join(
          '\n',
        ),
      ),
    ],
  ],
};

export const sizeRules: readonly Rule[] = [fileLength, lineLength, functionLength];
