// The JSON Schema of the configuration, from the zod schema: shipped for editors, asked for known
// keys when one is misspelt, and compared with docs/configuration.md.
import { z } from 'zod';
import type { Path } from './problem.js';
import { fileSchema } from './schema.js';
import { namePattern } from './text-leaves.js';

export interface JsonSchema {
  readonly description?: string;
  readonly default?: unknown;
  /** Ours: a default that depends on something. Not in the published schema. */
  readonly defaultText?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

let annotated: JsonSchema | undefined;

/** With `defaultText`. Made once, when first asked for. */
export function annotatedJsonSchema(): JsonSchema {
  annotated ??= z.toJSONSchema(fileSchema, {
    // The newest draft that the common YAML language server knows in full.
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
  }) as JsonSchema;
  return annotated;
}

/** As published in schema/sluice.schema.json. */
export function publishedJsonSchema(): JsonSchema {
  const { $schema, ...rest } = publish(annotatedJsonSchema()) as JsonSchema;
  return {
    $schema,
    title: 'sluice configuration',
    description:
      'Listeners, pools and targets of the sluice load balancer. ' +
      'Durations are a number with ms, s, m, h or d; sizes a number with B, KiB, MiB or GiB.',
    ...rest,
  };
}

function publish(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(publish);
  if (typeof node !== 'object' || node === null) return node;
  const source = node as JsonSchema;
  const result: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(source)) {
    if (keyword !== 'defaultText') result[keyword] = publish(value);
  }
  if (typeof source.defaultText === 'string') {
    result.description = `${source.description ?? ''} Default: ${source.defaultText}.`;
  }
  // zod leaves the pattern of a record's keys as it stood; editors want it with a sentence.
  if (source.propertyNames !== undefined) {
    result.propertyNames = { type: 'string', pattern: namePattern };
  }
  return result;
}

/** The object form of a node, when it has one: a union holds at most one. */
function objectForm(node: JsonSchema): JsonSchema | undefined {
  if (node.properties !== undefined || typeof node.additionalProperties === 'object') return node;
  for (const branch of node.anyOf ?? []) {
    const form = objectForm(branch);
    if (form !== undefined) return form;
  }
  return undefined;
}

function listForm(node: JsonSchema): JsonSchema | undefined {
  if (node.items !== undefined) return node;
  return (node.anyOf ?? []).map(listForm).find((form) => form !== undefined);
}

function child(node: JsonSchema, part: string | number): JsonSchema | undefined {
  if (typeof part === 'number') return listForm(node)?.items;
  const form = objectForm(node);
  if (form === undefined) return undefined;
  if (form.properties !== undefined && Object.hasOwn(form.properties, part)) {
    return form.properties[part];
  }
  return typeof form.additionalProperties === 'object' ? form.additionalProperties : undefined;
}

/** The schema of what stands at `path`. */
export function schemaAt(path: Path): JsonSchema | undefined {
  let node: JsonSchema | undefined = annotatedJsonSchema();
  for (const part of path) {
    if (node === undefined) return undefined;
    node = child(node, part);
  }
  return node;
}

/** The keys that a map at `path` may have; none where the names are the user's own. */
export function keysAt(path: Path): readonly string[] {
  const node = schemaAt(path);
  const properties = node === undefined ? undefined : objectForm(node)?.properties;
  return properties === undefined ? [] : Object.keys(properties);
}
