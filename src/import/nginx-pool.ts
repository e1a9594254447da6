// `upstream` of nginx as a pool.
import { formatDuration } from '../config/units.js';
import { argument, type Directive, nameOf, oneLine, type Word } from './directive.js';
import type { DraftPool, DraftTarget, Fields } from './draft.js';
import type { Ledger } from './ledger.js';
import { nginxFate } from './nginx-fates.js';
import { nginxMs } from './nginx-units.js';

interface Failures {
  /** null: not said, which is 1. */
  readonly max: number | null;
  readonly timeoutMs: number | null;
  readonly words: readonly Word[];
}

/** `named`: what the pool is called in sluice. */
export function readUpstream(
  directive: Directive,
  named: string,
  file: string,
  ledger: Ledger,
): DraftPool {
  const { line } = directive.words[0];
  const fields: Fields = new Map();
  const targets: DraftTarget[] = [];
  const failures: Failures[] = [];
  ledger.carried(directive.words, 'pools');
  let policy: string | ReadonlyMap<string, unknown> | null = null;
  for (const inner of directive.block ?? []) {
    if (nameOf(inner) === 'server') {
      const { target, failure } = readServer(inner, ledger);
      targets.push(target);
      failures.push(failure);
      continue;
    }
    const found = policyOf(inner);
    if (found === null) tellOther(inner, ledger);
    else if (found === 'unknown') {
      const why = 'sluice does not look into connections to decide';
      ledger.lost(inner.words, why, 'the targets take turns; see docs/policies.md');
    } else {
      policy = found;
      ledger.carried(inner.words, 'pools.*.policy');
    }
  }
  const weights = new Set(targets.map((target) => target.fields.get('weight') ?? 1));
  fields.set('policy', policy ?? (weights.size > 1 ? 'weighted_round_robin' : 'round_robin'));
  fields.set('health', 'none');
  readFailures(failures, fields, ledger);
  const notes = [oneLine(`${file}:${line} upstream ${argument(directive, 0)}`, 120)];
  return { name: named, place: directive.words[0], notes, fields, targets };
}

function tellOther(inner: Directive, ledger: Ledger): void {
  const fate = nginxFate('upstream', nameOf(inner));
  if (fate === undefined)
    ledger.lost(inner.words, 'sluice import does not know this', 'docs/migration.md');
  else if (fate.fate === 'lost') ledger.lost(inner.words, fate.why, fate.instead);
  else ledger.notNeeded(inner.words, fate.why);
}

/** null: no policy. */
function policyOf(inner: Directive): string | ReadonlyMap<string, unknown> | 'unknown' | null {
  const [first, second, third] = inner.words.slice(1).map(({ text }) => text);
  switch (nameOf(inner)) {
    case 'least_conn':
      return 'least_connections';
    case 'least_time':
      return 'least_response_time';
    case 'random':
      if (first !== 'two') return 'random';
      return second?.startsWith('least_time') || third !== undefined ? 'hot_cold' : 'power_of_two';
    case 'hash':
      return hashPolicy(first ?? '', second === 'consistent');
    default:
      return null;
  }
}

const addressKeys = new Set(['$remote_addr', '$binary_remote_addr']);
const portKeys = new Set(['$remote_addr$remote_port', '$remote_addr:$remote_port']);
const destinationKeys = new Set([
  '$server_addr:$server_port',
  '$server_port',
  '$server_addr$server_port',
]);

function hashPolicy(
  key: string,
  consistent: boolean,
): string | ReadonlyMap<string, unknown> | 'unknown' {
  const plain = key
    .replaceAll(/\$\{(\w+)\}/g, '$$$1')
    .replace(/^\$binary_remote_addr/, '$remote_addr');
  const name = consistent ? 'ring_hash' : 'maglev';
  if (addressKeys.has(plain)) return consistent ? 'ring_hash' : 'source_hash';
  if (portKeys.has(plain))
    return new Map([
      ['name', name],
      ['key', 'source_port'],
    ]);
  if (destinationKeys.has(plain))
    return new Map([
      ['name', name],
      ['key', 'destination'],
    ]);
  return 'unknown';
}

function readServer(
  directive: Directive,
  ledger: Ledger,
): { readonly target: DraftTarget; readonly failure: Failures } {
  const [, , ...parameters] = directive.words;
  const fields: Fields = new Map([['address', argument(directive, 0)]]);
  ledger.carried(directive.words, 'pools.*.targets');
  let max: number | null = null;
  let timeoutMs: number | null = null;
  const words: Word[] = [];
  for (const word of parameters) {
    const [name = '', value = ''] = word.text.split(/=(.*)/s);
    const number = /^\d{1,9}$/.test(value) ? Number(value) : null;
    if (name === 'weight' && number !== null) {
      if (number !== 1 && !fields.has('weight')) fields.set('weight', number);
    } else if (name === 'max_conns' && number !== null) {
      if (number > 0) fields.set('max_connections', number);
    } else if (name === 'max_fails' && number !== null) {
      max = number;
      words.push(word);
    } else if (name === 'fail_timeout' && nginxMs(value) !== null) {
      timeoutMs = nginxMs(value);
      words.push(word);
    } else if (word.text === 'backup') fields.set('backup', true);
    else if (word.text === 'down') fields.set('weight', 0);
    else tellParameter(word, ledger);
  }
  const target = { place: directive.words[0], fields };
  return { target, failure: { max, timeoutMs, words } };
}

function tellParameter(word: Word, ledger: Ledger): void {
  const [name = ''] = word.text.split('=');
  if (name === 'resolve') ledger.notNeeded([word], 'names are resolved again and again');
  else if (name === 'slow_start') {
    const why = 'a target that is back gets its whole share at once';
    ledger.lost([word], why, 'an agent can raise its weight');
  } else if (name === 'service') {
    ledger.lost([word], 'SRV records are not asked for', 'list the targets');
  } else {
    ledger.lost([word], 'sluice import does not know this parameter', 'write it by hand');
  }
}

/** nginx counts per server, sluice has one rule for a pool: that of the first target. */
function readFailures(failures: readonly Failures[], fields: Fields, ledger: Ledger): void {
  const [first] = failures;
  for (const { max, timeoutMs, words } of failures) {
    const same = max === first?.max && timeoutMs === first.timeoutMs;
    for (const word of words) {
      if (same) ledger.carried([word], 'pools.*.passive');
      else ledger.lost([word], 'a pool has one rule for all targets', 'a pool of its own');
    }
  }
  // The only target is never taken out.
  if (first === undefined || failures.length < 2 || first.max === 0) return;
  const passive: Fields = new Map();
  if (first.max !== null && first.max !== 1) passive.set('max_fails', first.max);
  if (first.timeoutMs !== null && first.timeoutMs > 0) {
    passive.set('fail_timeout', formatDuration(Math.max(first.timeoutMs, 1000)));
  }
  fields.set('passive', passive);
}
