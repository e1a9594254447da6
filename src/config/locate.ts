// YAML nodes to located plain data. Everything that YAML can say and a configuration does not
// need (tags, keys that are not texts, aliases in circles) ends here, each at its place.

import type { Alias, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { type Document, isAlias, isMap, isScalar, type Pair, type ParsedNode } from 'yaml';
import type { ErrorCode } from '../errors.js';
import type { Located, SourceText } from './located.js';
import { shown } from './parsed.js';
import type { ConfigProblem } from './problem.js';
import { nearestWord } from './suggest.js';

export type LocateResult =
  | { readonly ok: true; readonly root: Located; readonly problems: readonly ConfigProblem[] }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** What aliases stand for counts each time. The largest sensible configuration has 150 000. */
const nodesMax = 500_000;

interface Done {
  readonly located: Located;
  /** Nodes in it, aliases followed. */
  readonly nodes: number;
}

interface Walk {
  readonly source: SourceText;
  /** Anchors seen so far; YAML lets a later one take over the name. */
  readonly anchors: Map<string, ParsedNode>;
  /** Nodes that are finished. An alias to one that is not is inside of it: a circle. */
  readonly done: Map<ParsedNode, Done>;
  readonly problems: ConfigProblem[];
  nodes: number;
}

const noChildren: ReadonlyMap<string | number, Located> = new Map();

export function locate(document: Document.Parsed, source: SourceText): LocateResult {
  const contents = document.contents;
  if (contents === null) return { ok: false, problems: [] };
  const walk: Walk = { source, anchors: new Map(), done: new Map(), problems: [], nodes: 0 };
  const root = visit(walk, contents, null);
  return walk.nodes > nodesMax
    ? { ok: false, problems: walk.problems }
    : { ok: true, root, problems: walk.problems };
}

function report(
  walk: Walk,
  offset: number,
  code: ErrorCode,
  message: string,
  suggestion?: string,
): void {
  walk.problems.push(walk.source.problemAt(offset, code, message, suggestion));
}

function visit(walk: Walk, node: ParsedNode, keyAt: number | null): Located {
  if (isAlias(node)) return follow(walk, node, keyAt);
  const before = walk.nodes;
  walk.nodes++;
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  const known = checkTag(walk, node);
  const plain = isScalar(node)
    ? scalar(node, keyAt)
    : isMap(node)
      ? map(walk, node as YAMLMap.Parsed, keyAt)
      : list(walk, node as YAMLSeq.Parsed, keyAt);
  // Without a value nothing more is said about it.
  const located = known ? plain : { ...plain, value: undefined, children: noChildren };
  walk.done.set(node, { located, nodes: walk.nodes - before });
  return located;
}

/** The aliased part is shared, not copied: its faults are shown where it is written. */
function follow(walk: Walk, alias: Alias.Parsed, keyAt: number | null): Located {
  const at = alias.range[0];
  const nothing: Located = { value: undefined, at, keyAt, children: noChildren };
  const target = walk.anchors.get(alias.source);
  if (target === undefined && alias.source.startsWith(':')) {
    const message = 'a text that begins with * needs quotes';
    report(walk, at, 'SLUICE_CONFIG_ALIAS', message, `"*${alias.source}"`);
    return nothing;
  }
  if (target === undefined) {
    const message = `no anchor &${alias.source} stands before this alias`;
    const nearest = nearestWord(alias.source, walk.anchors.keys());
    const suggestion = nearest === undefined ? undefined : `*${nearest}`;
    report(walk, at, 'SLUICE_CONFIG_ALIAS', message, suggestion);
    return nothing;
  }
  const done = walk.done.get(target);
  if (done === undefined) {
    report(walk, at, 'SLUICE_CONFIG_ALIAS', `*${alias.source} is inside the part that it names`);
    return nothing;
  }
  const within = walk.nodes <= nodesMax;
  walk.nodes += done.nodes;
  if (walk.nodes > nodesMax) {
    const message = `aliases multiply this file to more than ${nodesMax} parts`;
    if (within) report(walk, at, 'SLUICE_CONFIG_ALIAS_EXPANSION', message);
    return nothing;
  }
  return { ...done.located, keyAt };
}

const coreTags: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((tag) => `tag:yaml.org,2002:${tag}`),
);

function checkTag(walk: Walk, node: Exclude<ParsedNode, Alias.Parsed>): boolean {
  if (node.tag === undefined || coreTags.has(node.tag)) return true;
  // The library gives the place of the value; the tag stands in front of it.
  const text = walk.source.text;
  let at = text.lastIndexOf('!', node.range[0]);
  if (at < 0) at = node.range[0];
  while (at > 0 && /[^\s,[{]/.test(text.charAt(at - 1))) at--;
  const tag = /^[^\s,\]}]*/.exec(text.slice(at))?.[0] ?? '';
  report(walk, at, 'SLUICE_CONFIG_TAG', `no key takes a tagged value (${shown(tag)})`);
  return false;
}

function scalar(node: Scalar.Parsed, keyAt: number | null): Located {
  const written = node.value !== null || node.source !== '';
  return { value: node.value, at: written ? node.range[0] : null, keyAt, children: noChildren };
}

function list(walk: Walk, node: YAMLSeq.Parsed, keyAt: number | null): Located {
  const children = new Map<number, Located>();
  node.items.forEach((item, index) => {
    const child = visit(walk, item as ParsedNode, null);
    children.set(index, child.at === null ? { ...child, at: dashOf(walk, item) } : child);
  });
  const value = Array.from(children.values(), (child) => child.value);
  return { value, at: node.range[0], keyAt, children };
}

/** An item without a value has no key to point at either: its dash is shown. */
function dashOf(walk: Walk, item: unknown): number {
  return Math.max(walk.source.text.lastIndexOf('-', (item as ParsedNode).range[0]), 0);
}

function map(walk: Walk, node: YAMLMap.Parsed, keyAt: number | null): Located {
  const children = new Map<string, Located>();
  const merged: Located[] = [];
  for (const pair of node.items as readonly Pair<ParsedNode, ParsedNode | null>[]) {
    const key = keyOf(walk, pair.key);
    const keyOffset = pair.key.range[0];
    const child =
      pair.value === null
        ? { value: null, at: null, keyAt: keyOffset, children: noChildren }
        : visit(walk, pair.value, keyOffset);
    if (key === null) continue;
    const first = children.get(key);
    if (key === '<<') {
      merged.push(...mergeSources(walk, child, keyOffset));
    } else if (first !== undefined) {
      const line = walk.source.place(first.keyAt ?? 0).line;
      const message = `${shown(key)} stands in this map already, on line ${line}`;
      report(walk, keyOffset, 'SLUICE_CONFIG_DUPLICATE_KEY', message);
    } else {
      children.set(key, child);
    }
  }
  // A map's own keys win over merged ones, and of those the first (yaml.org/type/merge.html).
  for (const from of merged) {
    for (const [key, child] of from.children) {
      if (typeof key === 'string' && !children.has(key)) children.set(key, child);
    }
  }
  // No prototype, so that a key such as "constructor" is only a key.
  const value: Record<string, unknown> = Object.create(null);
  for (const [key, child] of children) value[key] = child.value;
  return { value, at: node.range[0], keyAt, children };
}

function mergeSources(walk: Walk, child: Located, keyOffset: number): readonly Located[] {
  const sources = Array.isArray(child.value) ? [...child.children.values()] : [child];
  const maps = sources.filter(
    ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
  );
  if (maps.length < sources.length && child.value !== undefined) {
    report(walk, keyOffset, 'SLUICE_CONFIG_MERGE', '<< takes an alias of a map, or a list of them');
  }
  return maps;
}

/** null: not usable, and reported. */
function keyOf(walk: Walk, key: ParsedNode): string | null {
  const code = 'SLUICE_CONFIG_KEY';
  const at = key.range[0];
  if (!isScalar(key) || key.value === null) {
    const what = isScalar(key) ? 'nothing' : isAlias(key) ? 'an alias' : 'a list or map';
    // An empty key has no text of its own: its colon is shown.
    const gap = /^\s*/.exec(walk.source.text.slice(at, at + 256))?.[0].length ?? 0;
    report(walk, at + gap, code, `a key is a text, not ${what}`);
    return null;
  }
  checkTag(walk, key);
  if (typeof key.value !== 'string') {
    report(walk, at, code, `a key is a text, not ${key.source}`, JSON.stringify(key.source));
    return null;
  }
  if (key.value === '__proto__') {
    report(walk, at, code, '"__proto__" cannot be a key');
    return null;
  }
  if (key.anchor !== undefined) walk.anchors.set(key.anchor, key);
  walk.done.set(key, { located: scalar(key, null), nodes: 1 });
  return key.value;
}
