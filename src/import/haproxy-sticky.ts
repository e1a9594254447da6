// `stick on` and `stick-table` of HAProxy as a sticky pool: clients known by their address.
import { durationMaxMs, formatDuration } from '../config/units.js';
import type { Word } from './directive.js';
import type { Fields } from './draft.js';
import type { Setting } from './haproxy-sections.js';
import { haproxyCount, haproxyMs } from './haproxy-units.js';
import type { Ledger } from './ledger.js';

const rules = new Set(['stick on', 'stick match', 'stick store-request']);

export function stickyOf(
  settings: readonly Setting[],
  settingsOf: (name: string) => readonly Setting[],
  fields: Fields,
  ledger: Ledger,
): void {
  const sticky: Fields = new Map();
  let table = settings.findLast(({ key }) => key === 'stick-table');
  for (const { key, directive, values } of settings) {
    if (!rules.has(key)) continue;
    const prefix = sourcePrefix(values[0]?.text ?? '');
    const conditional = values.some(({ text }) => text === 'if' || text === 'unless');
    if (prefix === null || conditional) {
      const why = conditional
        ? 'a pool is sticky for all or none'
        : 'clients are known by their address only';
      ledger.lost(directive.words, why, 'sticky: source keeps a client by its address');
      continue;
    }
    const other = values.findIndex(({ text }) => text === 'table');
    const named = other < 0 ? undefined : values[other + 1]?.text;
    if (named !== undefined) {
      table = settingsOf(named).findLast(({ key: name }) => name === 'stick-table');
    }
    sticky.set('by', 'source');
    for (const [name, bits] of prefix) sticky.set(name, bits);
    ledger.carried(directive.words, 'pools.*.sticky');
  }
  if (sticky.size === 0) {
    if (table !== undefined) {
      const why = 'no rule that is carried over uses it, and sluice counts nothing per client';
      ledger.lost(table.directive.words, why, 'limit clients at the firewall');
    }
    return;
  }
  if (table !== undefined) readTable(table, sticky, ledger);
  if (!sticky.has('expire')) sticky.set('expire', formatDuration(durationMaxMs));
  fields.set('sticky', sticky);
}

/** `src`, `src,ipmask(24,64)`. null: another key. */
function sourcePrefix(text: string): Fields | null {
  if (text === 'src') return new Map();
  const [, v4, v6] = /^src,ipmask\((\d+)(?:,\s*(\d+))?\)$/.exec(text) ?? [];
  if (v4 === undefined) return null;
  return new Map([
    ['prefix_v4', Number(v4)],
    ...(v6 === undefined ? [] : [['prefix_v6', Number(v6)] as const]),
  ]);
}

function readTable({ directive, values }: Setting, sticky: Fields, ledger: Ledger): void {
  ledger.carried(directive.words, 'pools.*.sticky');
  for (let index = 0; index < values.length; index++) {
    const word = values[index];
    const value = values[index + 1];
    if (word === undefined || word.text === 'nopurge') continue;
    readTableWord(word, value, sticky, ledger);
    if (value !== undefined) index++;
  }
}

function readTableWord(word: Word, value: Word | undefined, sticky: Fields, ledger: Ledger): void {
  const text = value?.text ?? '';
  const words: readonly [Word, ...Word[]] = value === undefined ? [word] : [word, value];
  const count = word.text === 'size' ? haproxyCount(text) : null;
  const ms = word.text === 'expire' ? haproxyMs(text) : null;
  if (count !== null) sticky.set('capacity', Math.min(Math.max(count, 1), 16_777_216));
  else if (ms !== null) sticky.set('expire', formatDuration(Math.max(ms, 1000)));
  else if (word.text === 'type' && (text === 'ip' || text === 'ipv6')) return;
  else if (word.text === 'peers') {
    ledger.lost(
      words,
      'sluice does not share sticky entries with others',
      'maglev picks alike everywhere',
    );
  } else if (word.text === 'store') {
    ledger.lost(words, 'sluice counts nothing per client', 'limit clients at the firewall');
  } else ledger.lost(words, 'sticky has nothing of this kind', 'expire and capacity');
}
