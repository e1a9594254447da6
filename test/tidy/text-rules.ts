// What no file may say, and what each must: names, marks, paths, words, opening comments.
import {
  isCpp,
  isTest,
  isTidy,
  isTypeScript,
  linesThatMatch,
  type Rule,
  type SourceFile,
  sample,
  type Violation,
} from './rule.js';

/** A rule that no line of the chosen files matches a pattern. */
function noLine(
  name: string,
  pattern: RegExp,
  applies: (file: SourceFile) => boolean,
  bad: readonly SourceFile[],
): Rule {
  return {
    name,
    check: (files) =>
      files
        .filter((file) => applies(file) && !isTidy(file))
        .flatMap((file) => linesThatMatch(file, pattern, 'has')),
    bad: bad.map((file) => [file]),
  };
}

const isLockfile = ({ path }: SourceFile): boolean => path === 'package-lock.json';

const fileNames: Rule = {
  name: 'a file is named after the one thing it is about',
  check: (files) =>
    files
      .filter(({ path }) => !path.startsWith('docs/'))
      .filter(({ path }) =>
        /(^|\/)([\w-]*[-_])?(utils?|helpers?|common|misc|types|index)\.[a-z.]+$/i.test(path),
      )
      .map(({ path }) => ({ path, line: 0, what: 'this name says nothing' })),
  bad: ['src/model/types.ts', 'src/index.ts', 'native/os/string_utils.h', 'test/common.ts'].map(
    (path) => [sample(path, '// x\n')],
  ),
};

const openingComment: Rule = {
  name: 'a source file opens with a comment on what it is for',
  check: (files) =>
    files
      .filter((file) => isTypeScript(file) || isCpp(file))
      .filter(({ text }) => !/^(#!.*\n)?\s*(\/\/|\/\*)\s*\S/.test(text))
      .map(({ path }) => ({ path, line: 1, what: 'no opening comment' })),
  bad: [
    [sample('src/a.ts', "import { b } from './b.js';\n// b\n")],
    [sample('native/a.h', '#pragma once\n')],
  ],
};

// Written in parts, so that a search for the marks finds none here either.
const marks = new RegExp(
  `\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`,
);

/** "loopback endpoint" is none of these. */
const foreignWords = [
  String.raw`(\b|[^a-z])(front|back)[-_ ]?ends?(?!point)`,
  '[a-z](front|back)end',
  'upstream',
  'downstream',
  String.raw`\bvips?\b`,
  String.raw`\bcluster`,
  '(^|[^a-z])[rt]x_',
];
const vocabulary = new RegExp(foreignWords.join('|'), 'i');

/** Loads, tests of tests and quotations aside, a skipped test is a test that nobody runs. */
const skippedOrFocused =
  /\b(describe|it|test|suite)\s*\.\s*(skip|only|todo|fails|skipIf)\b|doctest::(skip|may_fail)/;

const sleepCalls = [
  String.raw`setTimeout\(\s*(resolve|done|r|res|_?\w*resolve\w*)\b`,
  String.raw`setTimeout\(\(\)\s*=>\s*(resolve|r|res|done)\(`,
  'timers/promises',
  String.raw`\b(u?sleep|nanosleep|sleep_for|sleep_until)\s*\(`,
];
const sleeps = new RegExp(sleepCalls.join('|'));

const runIfWithoutTools: Rule = {
  name: 'a test is run conditionally only by requireTools or networkPossible',
  check: (files) =>
    files
      .filter((file) => isTest(file) && isTypeScript(file) && !isTidy(file))
      .filter(
        ({ text }) => /\.runIf\(/.test(text) && !/\b(requireTools|networkPossible)\(/.test(text),
      )
      .map(({ path }) => ({ path, line: 0, what: 'runIf without requireTools' })),
  bad: [[sample('test/e2e/a.test.ts', 'describe.runIf(process.env.X)();\n')]],
};

const lockfile: Rule = {
  name: 'the lockfile names no registry and every optional package',
  check: (files) => files.filter(isLockfile).flatMap(checkLockfile),
  bad: [
    [sample('package-lock.json', '{"packages":{"node_modules/a":{"resolved":"https://x/a.tgz"}}}')],
    [
      sample(
        'package-lock.json',
        '{"packages":{"node_modules/a":{"optionalDependencies":{"b":"1"}}}}',
      ),
    ],
  ],
};

interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** npm ci refuses a lockfile in which an optional package, of any platform, has no entry. */
function checkLockfile({ path, text }: SourceFile): Violation[] {
  const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };
  return Object.entries(packages).flatMap(([name, { resolved, optionalDependencies = {} }]) => [
    ...(resolved === undefined ? [] : [{ path, line: 0, what: `${name} is resolved` }]),
    ...Object.keys(optionalDependencies)
      .filter((optional) => !Object.keys(packages).some((key) => key.endsWith(`/${optional}`)))
      .map((optional) => ({ path, line: 0, what: `${optional} has no entry` })),
  ]);
}

const sourcesListed: Rule = {
  name: 'native/sources.txt lists every source of native/, once, and nothing else',
  check: (files) => {
    const list = files.find(({ path }) => path === 'native/sources.txt')?.text ?? '';
    const present = files
      .map(({ path }) => path)
      .filter((path) => /^native\/\w+\/.*\.cpp$/.test(path))
      .map((path) => path.slice('native/'.length));
    // A whole room can be given as `room/*.cpp`.
    const listed = list
      .trimEnd()
      .split('\n')
      .flatMap((name) => {
        if (!name.endsWith('/*.cpp')) return [name];
        const inRoom = present.filter((one) => one.startsWith(name.slice(0, -'*.cpp'.length)));
        return inRoom.length > 0 ? inRoom : [name];
      });
    const path = 'native/sources.txt';
    return [
      ...present
        .filter((name) => !listed.includes(name))
        .map((name) => ({ path, line: 0, what: `${name} is not listed` })),
      ...listed
        .filter((name, index) => !present.includes(name) || listed.indexOf(name) !== index)
        .map((name) => ({ path, line: 0, what: `${name} is absent or listed twice` })),
    ];
  },
  bad: [
    [sample('native/sources.txt', 'os/a.cpp\n'), sample('native/os/b.cpp', '// x\n')],
    [sample('native/sources.txt', 'os/*.cpp\n'), sample('native/tcp/b.cpp', '// x\n')],
    [sample('native/sources.txt', 'os/*.cpp\nos/a.cpp\n'), sample('native/os/a.cpp', '// x\n')],
    [sample('native/sources.txt', 'os/a.cpp\nos/a.cpp\n'), sample('native/os/a.cpp', '// x\n')],
  ],
};

export const textRules: readonly Rule[] = [
  fileNames,
  openingComment,
  runIfWithoutTools,
  lockfile,
  sourcesListed,
  noLine('no marks of unfinished work', marks, () => true, [
    sample('src/a.ts', `// ${'TO' + 'DO'}: later\n`),
  ]),
  noLine('one vocabulary', vocabulary, (file) => !isLockfile(file), [
    sample('src/a.ts', 'const backendCount = 1;\n'),
    sample('docs/a.md', 'The upstream answers.\n'),
    sample('docs/a.md', 'One back end is down.\n'),
    sample('src/a.ts', 'const slowBackend = 1;\n'),
    sample('native/shared/a.h', 'uint64_t rx_bytes;\n'),
  ]),
  noLine('no test is skipped or focused', skippedOrFocused, isTest, [
    sample('test/unit/a.test.ts', "it.only('a', () => {});\n"),
    sample('test/unit/a.test.ts', "describe.skipIf(true)('a', () => {});\n"),
    sample('test/native/a_test.cpp', 'TEST_CASE("a" * doctest::skip()) {}\n'),
  ]),
  noLine(
    'a test waits for a condition, never for time to pass',
    sleeps,
    (file) => isTest(file) && !/^test\/(native\/)?support\//.test(file.path),
    [
      sample('test/e2e/a.test.ts', 'await new Promise((resolve) => setTimeout(resolve, 50));\n'),
      sample('test/e2e/a.test.ts', "import { setTimeout } from 'node:timers/promises';\n"),
      sample('test/native/a_test.cpp', 'std::this_thread::sleep_for(1ms);\n'),
    ],
  ),
  noLine('no path of one machine', /(?<![\w.-])\/(work|root|home)\/\w/, () => true, [
    sample('docs/a.md', `See /${'home'}/somebody/sluice.\n`),
  ]),
  noLine(
    'no registry is named',
    /registry\.(npmjs|yarnpkg)|npm\.pkg\.github|--registry\b/,
    () => true,
    [sample('.ci/run', 'npm ci --registry https://x\n')],
  ),
];
