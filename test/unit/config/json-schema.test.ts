// The published JSON Schema: fresh, complete, and of one mind with what is really accepted.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  annotatedJsonSchema,
  type JsonSchema,
  keysAt,
  publishedJsonSchema,
} from '../../../src/config/json-schema.js';
import { load } from '../../support/bad-file.js';

const root = new URL('../../../', import.meta.url);

test('the published schema is the one that the code has', () => {
  const text = readFileSync(new URL('schema/sluice.schema.json', root), 'utf8');
  const fresh = `${JSON.stringify(publishedJsonSchema(), null, 2)}\n`;
  expect(text === fresh, 'stale: npm run build && node scripts/generate-reference.mjs').toBe(true);
});

function* nodesOf(node: JsonSchema, path: string): Generator<readonly [string, JsonSchema]> {
  yield [path, node];
  for (const branch of node.anyOf ?? []) yield* nodesOf(branch, path);
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    yield* nodesOf(child, `${path}.${key}`);
  }
  if (node.items !== undefined) yield* nodesOf(node.items, `${path}[]`);
  if (typeof node.additionalProperties === 'object') {
    yield* nodesOf(node.additionalProperties, `${path}.*`);
  }
}

test('every key has a description', () => {
  const silent = [...nodesOf(annotatedJsonSchema(), '')]
    .filter(([, node]) => Object.values(node.properties ?? {}).some((one) => !one.description))
    .map(([path]) => path);
  expect(silent).toEqual([]);
});

test('every optional key says what it is when left out', () => {
  const silent: string[] = [];
  for (const [path, node] of nodesOf(annotatedJsonSchema(), '')) {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      const isMap = [child, ...(child.anyOf ?? [])].some((form) => form.properties !== undefined);
      const required = node.required?.includes(key) === true;
      const said = child.default !== undefined || child.defaultText !== undefined;
      if (!required && !isMap && !said) silent.push(`${path}.${key}`);
    }
  }
  expect(silent).toEqual([]);
});

test('no map accepts keys that it does not name', () => {
  for (const [path, node] of nodesOf(annotatedJsonSchema(), '')) {
    if (node.properties !== undefined) expect(node.additionalProperties, path).toBe(false);
  }
});

test('keys are found behind names, lists and short forms', () => {
  expect(keysAt([])).toContain('listeners');
  expect(keysAt(['listeners'])).toEqual([]);
  expect(keysAt(['listeners', 'any', 'tcp', 'keepalive'])).toEqual(['idle', 'interval', 'count']);
  expect(keysAt(['pools', 'any', 'targets', 3])).toContain('weight');
  expect(keysAt(['pools', 'any', 'health'])).toContain('rise');
  expect(keysAt(['no', 'such', 'path'])).toEqual([]);
});

describe('an example', () => {
  const examples = new URL('examples/', root);
  const names = readdirSync(examples).filter((name) => name.endsWith('.yaml'));

  test('exists for each use that the documentation names', () => {
    expect(names.sort()).toEqual([
      'dns.yaml',
      'inference.yaml',
      'ingestion.yaml',
      'postgres.yaml',
      'quickstart.yaml',
      'redis.yaml',
    ]);
  });

  test.each(names)('%s loads without a warning', (name) => {
    const result = load(readFileSync(new URL(name, examples)));
    expect(result.ok ? [] : result.errors).toEqual([]);
    expect(result.warnings).toEqual([]);
  });

  test('quickstart has three local targets behind a TCP and a UDP listener each', () => {
    const result = load(readFileSync(new URL('quickstart.yaml', examples)));
    if (!result.ok) throw new Error('refused');
    expect(result.config.listeners.map(({ protocol }) => protocol).sort()).toEqual(['tcp', 'udp']);
    for (const pool of result.config.pools) {
      const local = pool.targets.filter(
        ({ address }) => address.kind === 'ip' && address.ip.bytes[0] === 127,
      );
      expect(local).toHaveLength(3);
    }
  });
});
