// What a rule of the house is: a check over source files, with a sample that it must reject.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface SourceFile {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly path: string;
  /** From 1; 0 when it is about the whole file. */
  readonly line: number;
  readonly what: string;
}

export interface Rule {
  /** The rule as a sentence; exceptions name it. */
  readonly name: string;
  readonly check: (files: readonly SourceFile[]) => readonly Violation[];
  /** Samples that break the rule, each alone: so the rule itself is tested. */
  readonly bad: readonly (readonly SourceFile[])[];
}

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** What git keeps: everything else in the root is made or fetched. */
const topLevel = [
  '.ci',
  'bench',
  'deploy',
  'docs',
  'examples',
  'native',
  'schema',
  'scripts',
  'src',
  'test',
  '.clang-tidy',
  'CHANGELOG.md',
  'CMakeLists.txt',
  'README.md',
  'binding.gyp',
  'biome.json',
  'package-lock.json',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];

function filesUnder(path: string): string[] {
  const status = statSync(join(repository, path), { throwIfNoEntry: false });
  if (status === undefined) return [];
  if (!status.isDirectory()) return [path];
  return readdirSync(join(repository, path))
    .sort()
    .flatMap((name) => filesUnder(`${path}/${name}`));
}

const binary = new Set(['.bin', '.gz', '.ico', '.node', '.png', '.woff2']);

export function readRepository(): SourceFile[] {
  return topLevel
    .flatMap(filesUnder)
    .filter((path) => !binary.has(extname(path)))
    .map((path) => ({ path, text: readFileSync(join(repository, path), 'utf8') }));
}

export const isTypeScript = ({ path }: SourceFile): boolean => /\.(m?[tj]s|tsx)$/.test(path);
export const isCpp = ({ path }: SourceFile): boolean => /\.(cpp|h)$/.test(path);
export const isTest = ({ path }: SourceFile): boolean => path.startsWith('test/');
/** The rules themselves, which quote what they forbid. */
export const isTidy = ({ path }: SourceFile): boolean =>
  path.startsWith('test/tidy/') || path === 'test/tidy.test.ts';

export function sample(path: string, text: string): SourceFile {
  return { path, text };
}

/** One violation per line of `file` that matches. */
export function linesThatMatch(file: SourceFile, pattern: RegExp, what: string): Violation[] {
  return file.text
    .split('\n')
    .flatMap((text, index) =>
      pattern.test(text)
        ? [{ path: file.path, line: index + 1, what: `${what}: ${text.trim()}` }]
        : [],
    );
}

/** The same text with comments and literals of C++ blanked; lines stay where they are. */
export function withoutCppComments(text: string): string {
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|R"([^()\s]*)\([\s\S]*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'/g;
  return text.replace(token, (found) => found.replace(/[^\n]/g, ' '));
}
