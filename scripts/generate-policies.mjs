// Makes what both languages know of policies from the one list, native/policy/policies.txt:
// native/policy/policy_list.h and src/model/policy-traits.ts. `npm run build` does it before it
// builds; writes only what differs. Also run directly: node scripts/generate-policies.mjs
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inRoot } from './paths.mjs';
import { runMain, Stop } from './stop.mjs';

const list = 'native/policy/policies.txt';

/** @typedef {{ name: string, number: number, weights: string, key: string, load: string }} Line */

const words = {
  weights: ['yes', 'no'],
  key: ['any', 'source', 'none'],
  load: ['always', 'bounded', 'never'],
};

/** @param {string} line @param {string} fault */
const refuse = (line, fault) => new Stop(`${list}: ${fault}: ${line}`);

/** @param {string} line @returns {Line} */
function readLine(line) {
  const [name = '', number = '', weights = '', key = '', load = '', ...more] = line.split(/\s+/);
  if (more.length > 0 || load === '') throw refuse(line, 'a line has five columns');
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw refuse(line, 'a name is in snake_case');
  if (!/^[1-9][0-9]*$/.test(number)) throw refuse(line, 'the number is 1 or more');
  for (const [column, value] of Object.entries({ weights, key, load })) {
    const known = words[/** @type {keyof typeof words} */ (column)];
    if (!known.includes(value)) throw refuse(line, `${column} is one of ${known.join(', ')}`);
  }
  return { name, number: Number(number), weights, key, load };
}

/** @param {string} text @returns {Line[]} */
export function readPolicies(text) {
  const policies = text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => readLine(line.trim()));
  for (const column of /** @type {const} */ (['name', 'number'])) {
    const seen = new Set();
    for (const policy of policies) {
      if (seen.has(policy[column])) throw refuse(String(policy[column]), 'twice in the list');
      seen.add(policy[column]);
    }
  }
  return policies;
}

/** @param {string} name */
const className = (name) => name.replace(/(?:^|_)(.)/g, (_, first) => first.toUpperCase());

/** A macro over lines, with the backslashes where clang-format has them. @param {string[]} lines */
function macro(lines) {
  const column = Math.max(...lines.slice(0, -1).map((line) => line.length)) + 1;
  return lines.map((line, at) => (at < lines.length - 1 ? `${line.padEnd(column)}\\` : line));
}

/** @param {readonly Line[]} policies */
export function headerOf(policies) {
  const names = policies.map(({ name }) => name);
  const entries = policies.map(({ name, number }) => `  X(${name}, ${number}, ${className(name)})`);
  const keys = policies.map(({ name, key }) => `  X(${className(name)}, ${key !== 'none'})`);
  return [
    '// Every policy, made from policies.txt by scripts/generate-policies.mjs: change that.',
    '#pragma once',
    '',
    ...[...names].sort().map((name) => `#include "policy/${name}.h"`),
    '',
    '// X(name in the config, number in the table image, class)',
    ...macro(['#define SLUICE_POLICIES(X)', ...entries]),
    '',
    '// X(class, does it decide by a key?)',
    ...macro(['#define SLUICE_POLICIES_BY_KEY(X)', ...keys]),
    '',
  ].join('\n');
}

/** @param {readonly Line[]} policies */
export function traitsOf(policies) {
  return [
    '// What each policy heeds, made from native/policy/policies.txt by',
    '// scripts/generate-policies.mjs: change that.',
    '',
    'export const policyTraits = {',
    ...policies.map(
      ({ name, weights, key, load }) =>
        `  ${name}: { weights: ${weights === 'yes'}, key: '${key}', load: '${load}' },`,
    ),
    '} as const;',
    '',
  ].join('\n');
}

/** What is made, by path. */
export function generatedPolicies() {
  const policies = readPolicies(readFileSync(inRoot(list), 'utf8'));
  return new Map([
    ['native/policy/policy_list.h', headerOf(policies)],
    ['src/model/policy-traits.ts', traitsOf(policies)],
  ]);
}

export function generatePolicies() {
  for (const [path, text] of generatedPolicies()) {
    const file = inRoot(path);
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await runMain(async () => {
    generatePolicies();
    return 0;
  });
}
