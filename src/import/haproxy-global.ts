// The `global` section of HAProxy: what of it is a key of sluice.
import { formatDuration } from '../config/units.js';
import type { Draft } from './draft.js';
import { setIn } from './draft.js';
import { globalFate } from './haproxy-fates.js';
import type { Section, Setting } from './haproxy-sections.js';
import { settingsOf } from './haproxy-sections.js';
import { haproxyMs, wholeNumber } from './haproxy-units.js';
import type { Ledger } from './ledger.js';

export interface GlobalSettings {
  readonly spreadPercent: number;
}

export function readGlobal(
  sections: readonly Section[],
  draft: Draft,
  ledger: Ledger,
): GlobalSettings {
  const settings = sections.filter(({ kind }) => kind === 'global').flatMap(settingsOf);
  const numberOf = (key: string): number | null => {
    const setting = settings.findLast((one) => one.key === key);
    return setting === undefined ? null : wholeNumber(setting.values[0]?.text ?? '');
  };
  const threads = numberOf('nbthread');
  for (const setting of settings) readOne(setting, threads, draft, ledger);
  for (const section of sections) {
    if (section.kind === 'global') ledger.carried(section.head.words, 'the top of the file');
  }
  return { spreadPercent: numberOf('spread-checks') ?? 0 };
}

function readOne(setting: Setting, threads: number | null, draft: Draft, ledger: Ledger): void {
  const { key, directive, values } = setting;
  const text = values[0]?.text ?? '';
  const number = wholeNumber(text);
  if (key === 'nbthread' && number !== null && number > 0) {
    setIn(draft.top, 'engine', 'workers', Math.min(number, 64));
    ledger.carried(directive.words, 'engine.workers');
  } else if (key === 'maxconn' && number !== null && number > 0) {
    if (threads === null || threads === 0) {
      const why = 'engine.max_connections is per worker, and how many there are is unknown';
      ledger.lost(directive.words, why, `engine: { max_connections: ${number} / workers }`);
      return;
    }
    setIn(draft.top, 'engine', 'max_connections', Math.max(Math.ceil(number / threads), 1));
    ledger.carried(directive.words, 'engine.max_connections');
  } else if (key === 'nosplice') {
    setIn(draft.top, 'engine', 'splice', 'off');
    ledger.carried(directive.words, 'engine.splice');
  } else if (key === 'hard-stop-after' && haproxyMs(text) !== null) {
    const ms = haproxyMs(text) ?? 0;
    setIn(draft.top, 'shutdown', 'drain_timeout', formatDuration(ms));
    ledger.carried(directive.words, 'shutdown.drain_timeout');
  } else if (key === 'spread-checks') {
    ledger.carried(directive.words, 'pools.*.health.jitter');
  } else {
    const fate = globalFate(key);
    if (fate === undefined) {
      ledger.lost(directive.words, 'sluice import does not know this', 'docs/migration.md');
    } else if (fate.fate === 'lost') ledger.lost(directive.words, fate.why, fate.instead);
    else ledger.notNeeded(directive.words, fate.why);
  }
}
