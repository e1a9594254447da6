// Edits of a configuration's text that leave the rest of it as it is: comments, order, quotes. What
// comes out is a text like any other, to be loaded and refused by the same rules.
import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLSeq } from 'yaml';
import type { ConfigEdit, TargetSettings } from '../model/config-change.js';

export type EditResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: 'no_pool' | 'no_target' | 'alias' };

export function editConfig(text: string, edit: ConfigEdit): EditResult {
  const document = parseDocument(text, { schema: 'core', logLevel: 'silent' });
  const pool = document.getIn(['pools', edit.pool], true);
  if (pool === undefined) return { ok: false, why: 'no_pool' };
  const targets = isMap(pool) ? pool.get('targets', true) : undefined;
  // Elsewhere in the file, or put together from parts: whose edit would change other pools too.
  if (!isSeq(targets)) return { ok: false, why: 'alias' };
  const fault = editTargets(document, targets, edit);
  return fault ?? { ok: true, text: document.toString({ lineWidth: 0 }) };
}

function editTargets(document: Document, targets: YAMLSeq, edit: ConfigEdit): EditResult | null {
  if (edit.kind === 'add') {
    const { name, address, settings } = edit;
    const entry = { ...(name !== undefined && { name }), address, ...written(settings) };
    targets.add(document.createNode(entry, { flow: true }));
    return null;
  }
  const index = targets.items.findIndex((item) => nameOf(item) === edit.target);
  if (index < 0) return { ok: false, why: 'no_target' };
  if (edit.kind === 'remove') {
    targets.delete(index);
    return null;
  }
  const item = targets.items[index];
  if (isMap(item)) {
    for (const [key, value] of Object.entries(written(edit.settings))) item.set(key, value);
    return null;
  }
  if (!isScalar(item)) return { ok: false, why: 'alias' };
  const map = document.createNode(
    { address: item.value, ...written(edit.settings) },
    { flow: true },
  );
  map.commentBefore = item.commentBefore ?? null;
  map.comment = item.comment ?? null;
  map.spaceBefore = item.spaceBefore === true;
  targets.set(index, map);
  return null;
}

/** As the model names it: by its own name, or by its address as it is written. */
function nameOf(item: unknown): unknown {
  if (isScalar(item)) return item.value;
  return isMap(item) ? (item.get('name') ?? item.get('address')) : undefined;
}

function written({ weight, maxConnections }: TargetSettings): Record<string, unknown> {
  return {
    ...(weight !== undefined && { weight }),
    ...(maxConnections !== undefined && { max_connections: maxConnections || 'off' }),
  };
}
