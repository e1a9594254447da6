// A draft as a YAML text with comments. Short maps stand on one line, as in examples/.
import { Document, isMap, isSeq, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { oneLine } from './directive.js';
import type { Draft, DraftListener, DraftPool, DraftTarget, Fields } from './draft.js';

export function writeYaml(draft: Draft): string {
  const document = new Document();
  const root = new YAMLMap();
  for (const [key, value] of draft.top) root.add(pair(key, inline(value), []));
  root.add(pair('listeners', mapOf(draft.listeners, listenerNode), []));
  root.add(pair('pools', mapOf(draft.pools, poolNode), []));
  document.contents = root as typeof document.contents;
  if (draft.notes.length > 0) document.commentBefore = comment(draft.notes);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

interface Part {
  readonly name: string;
  readonly notes: readonly string[];
}

function mapOf<T extends Part>(parts: readonly T[], toNode: (part: T) => YAMLMap): YAMLMap {
  const map = new YAMLMap();
  for (const part of parts) map.add(pair(part.name, toNode(part), part.notes));
  return map;
}

function pair(key: string, value: unknown, notes: readonly string[]): Pair {
  const name = new Scalar(key);
  if (notes.length > 0) name.commentBefore = comment(notes);
  return new Pair(name, value);
}

function comment(notes: readonly string[]): string {
  return notes.map((note) => ` ${oneLine(note, 160)}`).join('\n');
}

function listenerNode({ binds, pool, fields }: DraftListener): YAMLMap {
  const texts = binds.map(({ text }) => text);
  const head = new Map<string, unknown>([['bind', texts.length === 1 ? texts[0] : texts]]);
  const { protocol, ...rest } = Object.fromEntries(fields);
  if (protocol !== undefined) head.set('protocol', protocol);
  head.set('pool', pool);
  return fieldsNode(new Map([...head, ...Object.entries(rest)]));
}

function poolNode({ fields, targets }: DraftPool): YAMLMap {
  const list = new YAMLSeq();
  for (const target of targets) list.add(targetNode(target));
  const map = fieldsNode(fields);
  map.add(pair('targets', list, []));
  return map;
}

function targetNode({ fields, place }: DraftTarget): unknown {
  const node = fields.size === 1 ? new Scalar(fields.get('address')) : inline(fields);
  if (node instanceof Scalar || isMap(node)) node.comment = ` line ${place.line}`;
  return node;
}

function fieldsNode(fields: Fields): YAMLMap {
  const map = new YAMLMap();
  for (const [key, value] of fields) map.add(pair(key, inline(value), []));
  return map;
}

const inlineCharsMax = 84;

/** On one line where it fits. */
function inline(value: unknown): unknown {
  const node = toNode(value);
  if ((isMap(node) || isSeq(node)) && JSON.stringify(node).length <= inlineCharsMax) {
    node.flow = true;
  }
  return node;
}

function toNode(value: unknown): unknown {
  if (value instanceof Map) {
    const map = new YAMLMap();
    for (const [key, item] of value) map.add(pair(String(key), inline(item), []));
    return map;
  }
  if (Array.isArray(value)) {
    const list = new YAMLSeq();
    for (const item of value) list.add(inline(item));
    return list;
  }
  return new Scalar(value);
}
