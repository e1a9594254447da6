// Draft: a configuration of sluice while it is put together from another program's file. Each part
// knows where it came from, so that what sluice refuses of it can be told there.
import { parseName } from '../config/text-leaves.js';
import type { Place } from './directive.js';

/** Keys in the order in which they are written. */
export type Fields = Map<string, unknown>;

export interface DraftTarget {
  readonly place: Place;
  readonly fields: Fields;
}

export interface DraftBind {
  readonly place: Place;
  readonly text: string;
}

export interface DraftPool {
  readonly name: string;
  readonly place: Place;
  /** Comments above it: where it came from, and what is not quite as it was. */
  readonly notes: string[];
  readonly fields: Fields;
  readonly targets: DraftTarget[];
}

export interface DraftListener {
  readonly name: string;
  readonly place: Place;
  readonly notes: string[];
  readonly binds: DraftBind[];
  readonly pool: string;
  readonly fields: Fields;
}

export interface Draft {
  readonly notes: string[];
  readonly listeners: DraftListener[];
  readonly pools: DraftPool[];
  /** engine, shutdown and the like. */
  readonly top: Fields;
}

export function emptyDraft(): Draft {
  return { notes: [], listeners: [], pools: [], top: new Map() };
}

/** Gives out names that sluice takes, each once. */
export function createNames(): (wanted: string) => string {
  const taken = new Set<string>();
  return (wanted) => {
    const plain = wanted.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 56);
    const base = parseName(plain).ok ? plain : `p-${plain}`;
    let name = base;
    for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
    taken.add(name);
    return name;
  };
}

/** Sets a key of a section, such as `timeouts`, that is made when it is needed. */
export function setIn(fields: Fields, section: string, key: string, value: unknown): void {
  const inner = fields.get(section);
  if (inner instanceof Map) inner.set(key, value);
  else fields.set(section, new Map([[key, value]]));
}
