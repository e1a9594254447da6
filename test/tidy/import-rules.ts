// Who may import whom, for both languages, as docs/architecture.md draws it.
import { dirname, join } from 'node:path/posix';
import ts from 'typescript';
import {
  isCpp,
  isTypeScript,
  type Rule,
  type SourceFile,
  sample,
  type Violation,
  withoutCppComments,
} from './rule.js';

/** Root leaves that every room may import. */
const leaves = new Set(['errors', 'clock']);

/** Room (or root file) of src/ to the rooms it may import. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  main: ['cli'],
  library: ['app', 'control', 'log', 'model'],
  cli: ['app'],
  app: [
    'admin',
    'balance',
    'config',
    'control',
    'discovery',
    'engine',
    'health',
    'import',
    'log',
    'metrics',
    'model',
    'state',
  ],
  admin: ['metrics', 'control', 'model', 'log'],
  // Another program, in another machine: it knows the shapes of what it asks for, and no more.
  dashboard: ['model'],
  metrics: ['engine', 'model'],
  control: ['engine', 'balance', 'model', 'log'],
  health: ['model', 'log'],
  discovery: ['model', 'log'],
  balance: ['model', 'log'],
  state: ['log'],
  config: ['model'],
  // It writes what config reads, and asks it whether that loads.
  import: ['config', 'model'],
  engine: ['model'],
  log: ['model'],
  model: [],
  errors: [],
  clock: [],
};

/** Rooms that see one file of another room only. */
const onlyFile: Readonly<Record<string, string>> = { 'control engine': 'src/engine/engine.ts' };

/** Room of native/ to the rooms it may include: downwards only. */
const mayInclude: Readonly<Record<string, readonly string[]>> = {
  addon: ['engine', 'shared', 'os'],
  engine: ['tcp', 'udp', 'table', 'sticky', 'policy', 'shared', 'os'],
  tcp: ['table', 'policy', 'shared', 'os'],
  udp: ['table', 'policy', 'shared', 'os'],
  table: ['sticky', 'policy', 'shared', 'os'],
  // The links of a worker carry the candidates' form.
  shared: ['policy', 'os'],
  policy: [],
  // What clients were sent to knows neither tables nor policies: it outlives the former.
  sticky: ['os'],
  os: [],
};

/** src/engine/x.ts is of room engine, src/main.ts of room main. */
function roomOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.(ts|cpp|h)$/, '');
}

interface Import {
  readonly line: number;
  readonly path: string;
}

/** Files of this project that a TypeScript file imports. */
function importsOf(file: SourceFile): Import[] {
  const parsed = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier?.text.startsWith('.')) {
      const path = join(dirname(file.path), specifier.text).replace(/\.js$/, '.ts');
      const line = parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      found.push({ path, line });
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed);
  return found;
}

function specifierOf(node: ts.Node): ts.StringLiteral | null {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    const specifier = node.moduleSpecifier;
    return specifier !== undefined && ts.isStringLiteral(specifier) ? specifier : null;
  }
  const isDynamic =
    ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  const [argument] = isDynamic ? node.arguments : [];
  return argument !== undefined && ts.isStringLiteral(argument) ? argument : null;
}

function forbiddenImport(from: string, to: string): boolean {
  const [importer, imported] = [roomOf(from), roomOf(to)];
  if (importer === imported || (leaves.has(imported) && imported !== importer)) return false;
  if (!mayImport[importer]?.includes(imported)) return true;
  const file = onlyFile[`${importer} ${imported}`];
  return file !== undefined && to !== file;
}

const importDirection: Rule = {
  name: 'a room of src/ imports only the rooms below it',
  check: (files) =>
    files
      .filter((file) => file.path.startsWith('src/') && isTypeScript(file))
      .flatMap((file) =>
        importsOf(file)
          .filter(({ path }) => forbiddenImport(file.path, path))
          .map(({ path, line }) => ({ path: file.path, line, what: `imports ${path}` })),
      ),
  bad: [
    [sample('src/model/a.ts', "import { b } from '../engine/b.js';\n")],
    [sample('src/control/a.ts', "import type { b } from '../engine/native-engine.js';\n")],
    [sample('src/health/a.ts', "export { b } from '../control/b.js';\n")],
    [sample('src/config/a.ts', "const b = await import('../app/b.js');\n")],
    [sample('src/clock.ts', "import { b } from './model/b.js';\n")],
    [sample('src/dashboard/a.tsx', "import { b } from '../log/b.ts';\n")],
    [sample('src/admin/a.ts', "import { b } from '../dashboard/b.ts';\n")],
    [sample('src/unheard-of/a.ts', "import { b } from '../model/b.js';\n")],
  ],
};

/** The first cycle that `path` is on, as the files in order. */
function cycleThrough(path: string, graph: ReadonlyMap<string, readonly string[]>): string[] {
  const parents = new Map<string, string>();
  const queue = [path];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const next of graph.get(file) ?? []) {
      if (next === path) {
        const chain = [path];
        for (let at: string | undefined = file; at && at !== path; at = parents.get(at)) {
          chain.splice(1, 0, at);
        }
        return [...chain, path];
      }
      if (!parents.has(next)) {
        parents.set(next, file);
        queue.push(next);
      }
    }
  }
  return [];
}

const noCycles: Rule = {
  name: 'no TypeScript file imports itself by a detour',
  check: (files) => {
    const graph = new Map(
      files.filter(isTypeScript).map((file) => [file.path, importsOf(file).map((i) => i.path)]),
    );
    return [...graph.keys()].flatMap((path): Violation[] => {
      const cycle = cycleThrough(path, graph);
      return cycle.length > 0 ? [{ path, line: 0, what: cycle.join(' -> ') }] : [];
    });
  },
  bad: [
    [
      sample('src/model/a.ts', "import { b } from './b.js';\n"),
      sample('src/model/b.ts', "import type { c } from './c.js';\n"),
      sample('src/model/c.ts', "export { a } from './a.js';\n"),
    ],
  ],
};

/** Quoted includes of a native file; their text is a literal, hence from the original. */
function includesOf(file: SourceFile): Import[] {
  return file.text.split('\n').flatMap((text, index) => {
    const path = /^\s*#include "([^"]+)"/.exec(text)?.[1];
    return path === undefined ? [] : [{ line: index + 1, path: `native/${path}` }];
  });
}

const includeDirection: Rule = {
  name: 'a room of native/ includes only the rooms below it',
  check: (files) =>
    files
      .filter((file) => file.path.startsWith('native/') && isCpp(file))
      .flatMap((file) =>
        includesOf(file)
          .filter(({ path }) => {
            const [from, to] = [roomOf(file.path), roomOf(path)];
            return from !== to && !mayInclude[from]?.includes(to);
          })
          .map(({ path, line }) => ({ path: file.path, line, what: `includes ${path}` })),
      ),
  bad: [
    [sample('native/policy/a.h', '#include "os/fd.h"\n')],
    [sample('native/table/a.cpp', '#include "tcp/pump.h"\n')],
    [sample('native/tcp/a.cpp', '#include "udp/session.h"\n')],
    [sample('native/os/a.h', '#include "a.h"\n')],
  ],
};

function onlyWhere(name: string, pattern: RegExp, allowed: RegExp, bad: SourceFile): Rule {
  return {
    name,
    check: (files) =>
      files
        .filter((file) => file.path.startsWith('native/') && isCpp(file))
        .filter(({ path }) => !allowed.test(path))
        .flatMap(({ path, text }) =>
          withoutCppComments(text)
            .split('\n')
            .flatMap((line, index) =>
              pattern.test(line) ? [{ path, line: index + 1, what: line.trim() }] : [],
            ),
        ),
    bad: [[bad]],
  };
}

export const importRules: readonly Rule[] = [
  importDirection,
  noCycles,
  includeDirection,
  onlyWhere(
    'only addon.cpp includes napi.h or node_api.h',
    /#\s*include\s*<(napi|node_api|node)\b/,
    /^native\/addon\.cpp$/,
    sample('native/engine/a.cpp', '#include <napi.h>\n'),
  ),
  onlyWhere(
    'only os/ reads errno',
    /(?<![<\w])errno\b/,
    /^native\/os\//,
    sample('native/tcp/a.cpp', 'int f() { return errno; }\n'),
  ),
];
