// docs/configuration.md against the schema: every key with its default, none that does not exist,
// and every example in it loads.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { annotatedJsonSchema, type JsonSchema } from '../../../src/config/json-schema.js';
import { load } from '../../support/bad-file.js';

const text = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

/** `path.key` to the default, as the tables say it: `5s`, required, see below, or words. */
type Keys = ReadonlyMap<string, string>;

/** Tables with a "default" column belong to the paths that the heading above them names. */
function documentedKeys(): Keys {
  const keys = new Map<string, string>();
  let paths: readonly string[] = [];
  let inTable = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) {
      paths = [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
      if (line === '### top level') paths = [''];
    }
    if (!line.startsWith('|')) inTable = false;
    else if (line.startsWith('| key | value | default |')) inTable = true;
    const row = /^\| `([^`]+)` \|.*? \| ([^|]*) \| [^|]*\|$/.exec(line);
    if (!inTable || row === null) continue;
    for (const path of paths) {
      const key = path === '' ? (row[1] ?? '') : `${path}.${row[1]}`;
      expect(keys.has(key), `${key} is documented twice`).toBe(false);
      keys.set(key, row[2] ?? '');
    }
  }
  return keys;
}

function objectForms(node: JsonSchema): readonly JsonSchema[] {
  return [node, ...(node.anyOf ?? []).flatMap(objectForms)];
}

function schemaKeys(node: JsonSchema, path: string, keys: Map<string, string>): Keys {
  for (const form of objectForms(node)) {
    for (const [key, child] of Object.entries(form.properties ?? {})) {
      const whole = path === '' ? key : `${path}.${key}`;
      keys.set(whole, defaultOf(child, form.required?.includes(key) === true));
      schemaKeys(child, whole, keys);
    }
    if (form.items !== undefined) schemaKeys(form.items, `${path}[]`, keys);
    if (typeof form.additionalProperties === 'object') {
      schemaKeys(form.additionalProperties, `${path}.<name>`, keys);
    }
  }
  return keys;
}

function defaultOf(node: JsonSchema, required: boolean): string {
  if (required) return 'required';
  if (node.default !== undefined) return `\`${String(node.default)}\``;
  return node.defaultText ?? 'see below';
}

const plain = (value: string) => value.replaceAll('`', '');

test('every key is documented with its default, and no key that does not exist', () => {
  const documented = documentedKeys();
  const actual = schemaKeys(annotatedJsonSchema(), '', new Map());
  expect([...documented.keys()].sort()).toEqual([...actual.keys()].sort());
  for (const [key, value] of actual) {
    expect(plain(documented.get(key) ?? ''), key).toBe(plain(value));
  }
});

test('every word that a key takes is in its row or section', () => {
  const words = new Set<string>();
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('enum' in node && Array.isArray(node.enum)) for (const word of node.enum) words.add(word);
    for (const part of Object.values(node)) walk(part);
  };
  walk(annotatedJsonSchema());
  expect([...words].filter((word) => !text.includes(`\`${word}\``))).toEqual([]);
});

describe('an example in the documentation', () => {
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

  test('is there', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(3);
  });

  test.each(blocks)('loads: %s', (block) => {
    const result = load(block);
    expect(result.ok ? [] : result.errors).toEqual([]);
    expect(result.warnings).toEqual([]);
  });
});
