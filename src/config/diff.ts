// What changes between two configurations, in the words of the file: for the log of a reload and
// for a dry run. Pure; parts are matched by name, never by position.
import type { TargetAddress } from '../model/address.js';
import type { Config } from '../model/config.js';
import { addressKey } from './facts.js';
import { formatIp } from './ip.js';
import { formatDuration, formatSize } from './units.js';

export interface ConfigChange {
  readonly kind: 'added' | 'removed' | 'changed';
  /** As `listeners.web`, `pools.web.targets[db1]` or `engine.workers`. */
  readonly path: string;
  /** Text forms; empty where there was or is nothing. */
  readonly before: string;
  readonly after: string;
  /** Takes effect at the next start, not at a reload. */
  readonly needsRestart: boolean;
}

export function diffConfigs(before: Config, after: Config): readonly ConfigChange[] {
  return [
    ...diffNamed('listeners', before.listeners, after.listeners, (path, a, b) =>
      diffValues(path, a, b),
    ),
    ...diffNamed('pools', before.pools, after.pools, (path, a, b) => {
      const { targets: oldTargets, ...oldRest } = a;
      const { targets: newTargets, ...newRest } = b;
      return [
        ...diffValues(path, oldRest, newRest),
        ...diffNamed(`${path}.targets`, oldTargets, newTargets, diffValues),
      ];
    }),
    ...restartChanges(before, after),
    ...diffValues('admin', accessOf(before), accessOf(after)),
    ...diffValues('log', before.log, after.log),
    ...diffValues('shutdown', before.shutdown, after.shutdown),
    ...diffValues('state', before.state ?? { file: 'off' }, after.state ?? { file: 'off' }),
    ...diffValues('', { watch: before.watch }, { watch: after.watch }),
  ];
}

/** Who may ask the admin API, in words that are no secret. */
function accessOf({ admin: { hosts, tokens } }: Config): object {
  const shown = tokens.map(({ name, role, hash }) => `${name} (${role}, ${hash.slice(0, 15)})`);
  return { hosts, tokens: shown };
}

function needsRestart(path: string, key: string): boolean {
  return path === 'engine' || path === 'state' || (path === 'admin' && key.startsWith('listen'));
}

/** Of all changes those that take effect at the next start. Does not look at targets. */
export function restartChanges(before: Config, after: Config): readonly ConfigChange[] {
  return [
    ...diffValues('engine', before.engine, after.engine),
    ...diffValues('admin', { listen: before.admin.listen }, { listen: after.admin.listen }),
  ];
}

/** One line for people: `changed pools.web.retries: 2 -> 3`. */
export function formatChange(change: ConfigChange): string {
  const values = change.kind === 'changed' ? `: ${change.before} -> ${change.after}` : '';
  const restart = change.needsRestart ? ' (needs a restart)' : '';
  return `${change.kind} ${change.path}${values}${restart}`;
}

interface Named {
  readonly name: string;
}

function diffNamed<T extends Named>(
  path: string,
  before: readonly T[],
  after: readonly T[],
  diffPart: (path: string, before: T, after: T) => readonly ConfigChange[],
): readonly ConfigChange[] {
  const old = new Map(before.map((part) => [part.name, part]));
  const current = new Map(after.map((part) => [part.name, part]));
  const whole = (kind: 'added' | 'removed', name: string): ConfigChange => ({
    kind,
    path: partPath(path, name),
    before: kind === 'removed' ? name : '',
    after: kind === 'added' ? name : '',
    needsRestart: false,
  });
  const changes: ConfigChange[] = [];
  for (const name of old.keys()) if (!current.has(name)) changes.push(whole('removed', name));
  for (const [name, part] of current) {
    const earlier = old.get(name);
    if (earlier === undefined) changes.push(whole('added', name));
    else changes.push(...diffPart(partPath(path, name), earlier, part));
  }
  return changes;
}

function partPath(path: string, name: string): string {
  return path.endsWith('targets') ? `${path}[${name}]` : `${path}.${name}`;
}

function diffValues(path: string, before: object, after: object): readonly ConfigChange[] {
  const old = leavesOf(before);
  const current = leavesOf(after);
  const changes: ConfigChange[] = [];
  for (const key of new Set([...old.keys(), ...current.keys()])) {
    const a = old.get(key) ?? '';
    const b = current.get(key) ?? '';
    if (a === b) continue;
    changes.push({
      kind: 'changed',
      path: path === '' ? key : `${path}.${key}`,
      before: a,
      after: b,
      needsRestart: needsRestart(path, key),
    });
  }
  return changes;
}

/** Every leaf of a part, by its path in snake_case, as text. */
function leavesOf(part: object, prefix = ''): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  for (const [name, value] of Object.entries(part)) {
    const { key, text } = leafText(name, value);
    if (text !== null) leaves.set(prefix + key, text);
    else for (const [below, leaf] of leavesOf(value, `${prefix}${key}.`)) leaves.set(below, leaf);
  }
  return leaves;
}

/** `text` null: not a leaf. */
function leafText(
  name: string,
  value: unknown,
): { readonly key: string; readonly text: string | null } {
  const snake = (word: string) => word.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (typeof value === 'number') {
    if (name.endsWith('Ms')) return { key: snake(name.slice(0, -2)), text: durationText(value) };
    if (/[a-z]S$/.test(name)) {
      return { key: snake(name.slice(0, -1)), text: durationText(value * 1000) };
    }
    if (name.endsWith('Bytes')) return { key: snake(name.slice(0, -5)), text: formatSize(value) };
    if (name === 'unixMode') return { key: 'unix_mode', text: value.toString(8).padStart(4, '0') };
  }
  const key = snake(name);
  if (Array.isArray(value)) return { key, text: value.map(itemText).join(', ') || 'none' };
  if (value instanceof Uint8Array) return { key, text: hexText(value) };
  if (typeof value !== 'object') return { key, text: String(value) };
  if (value === null) return { key, text: 'off' };
  if ('kind' in value && (name === 'address' || name === 'listen')) {
    return { key, text: addressText(value) };
  }
  if (name !== 'listen') return { key, text: null };
  if ('path' in value) return { key, text: `unix:${String(value.path)}` };
  const { host, port } = value as { readonly host: string; readonly port: number };
  return { key, text: `${host.includes(':') ? `[${host}]` : host}:${port}` };
}

function durationText(ms: number): string {
  return ms === 0 ? 'off' : formatDuration(ms);
}

function itemText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if ('family' in value || ('kind' in value && ('port' in value || 'path' in value)))
    return addressText(value);
  return JSON.stringify(value, (_key, part) => (part instanceof Uint8Array ? hexText(part) : part));
}

function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function addressText(value: unknown): string {
  const address = value as TargetAddress | Parameters<typeof formatIp>[0];
  return 'kind' in address ? addressKey(address) : formatIp(address);
}
