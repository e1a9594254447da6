// Settle: what sluice refuses of a draft is taken out of it and told, until the rest loads. So an
// imported file always loads, whatever stood in the other program's.
import { loadConfig } from '../config/load.js';
import type { ConfigProblem } from '../config/problem.js';
import type { Place } from './directive.js';
import type { Draft, DraftPool } from './draft.js';
import type { Ledger } from './ledger.js';
import { writeYaml } from './write-yaml.js';

/** The text of the file; null when nothing is left that could be one. */
export function settle(draft: Draft, ledger: Ledger): string | null {
  for (;;) {
    dropEmpty(draft, ledger);
    if (draft.listeners.length === 0) return null;
    const yaml = writeYaml(draft);
    const loaded = loadConfig(Buffer.from(yaml), 'imported');
    if (loaded.ok) return yaml;
    // From the end, so that the indices of those before stay right; a part that has several
    // faults is taken once.
    const taken = new Set<string>();
    for (const problem of [...loaded.errors].reverse()) {
      const part = pathParts(problem.path).slice(0, 4).join('\0');
      if (problem.path === '' || taken.has(part)) continue;
      taken.add(part);
      takeOut(draft, ledger, problem);
    }
    const [first] = loaded.errors;
    // Nobody knows what is meant: less can only help, and every round must take something.
    if (taken.size === 0 && first !== undefined) dropLast(draft, ledger, first);
  }
}

const fileStart: Place = { line: 1, column: 1 };

function takeOut(draft: Draft, ledger: Ledger, problem: ConfigProblem): void {
  const [room, name = '', key = '', index = ''] = pathParts(problem.path);
  if (room === 'listeners') {
    const listener = draft.listeners.find((one) => one.name === name);
    if (listener === undefined) {
      dropLast(draft, ledger, problem);
      return;
    }
    const bind = key === 'bind' ? listener.binds[index === '' ? 0 : Number(index)] : undefined;
    ledger.refused(bind?.place ?? listener.place, problem);
    if (bind !== undefined) remove(listener.binds, bind);
    else if (!listener.fields.delete(key)) remove(draft.listeners, listener);
    return;
  }
  if (room === 'pools') {
    const pool = draft.pools.find((one) => one.name === name);
    if (pool === undefined) dropLast(draft, ledger, problem);
    else takeFromPool(draft, pool, ledger, problem);
    return;
  }
  ledger.refused(fileStart, problem);
  if (room === undefined || !draft.top.delete(room)) dropLast(draft, ledger, problem);
}

function takeFromPool(draft: Draft, pool: DraftPool, ledger: Ledger, problem: ConfigProblem): void {
  const [, , key = '', index = '', inner = ''] = pathParts(problem.path);
  const target = key === 'targets' && index !== '' ? pool.targets[Number(index)] : undefined;
  ledger.refused(target?.place ?? pool.place, problem);
  if (target !== undefined) {
    if (inner === '' || inner === 'address' || !target.fields.delete(inner)) {
      remove(pool.targets, target);
    }
    return;
  }
  if (!pool.fields.delete(key)) remove(draft.pools, pool);
}

/** Nobody knows what is meant: less can only help, and every round must take something. */
function dropLast(draft: Draft, ledger: Ledger, problem: ConfigProblem): void {
  const last = draft.listeners.pop();
  ledger.refused(last?.place ?? fileStart, problem);
}

/** A listener without binds or without a pool, and a pool without targets, is none. */
function dropEmpty(draft: Draft, ledger: Ledger): void {
  const instead = 'write it by hand; docs/configuration.md lists every key';
  for (const pool of draft.pools.filter(({ targets }) => targets.length === 0)) {
    remove(draft.pools, pool);
    ledger.lost(at(pool.place, `pool ${pool.name}`), 'none of its targets is left', instead);
  }
  for (const listener of [...draft.listeners]) {
    const hasPool = draft.pools.some(({ name }) => name === listener.pool);
    if (hasPool && listener.binds.length > 0) continue;
    remove(draft.listeners, listener);
    const why = hasPool ? 'none of its addresses is left' : 'nothing is left to serve it';
    ledger.lost(at(listener.place, `listener ${listener.name}`), why, instead);
  }
}

function at(place: Place, text: string): readonly [Place & { readonly text: string }] {
  return [{ ...place, text }];
}

function remove<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}

/** `pools["a.b"].targets[2].weight` to its parts. */
function pathParts(path: string): readonly string[] {
  const parts = path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g);
  return [...parts].map(([, quoted, index, plain]) => quoted ?? index ?? plain ?? '');
}
