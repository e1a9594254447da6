// A `frontend`, or the part of a `listen` that faces clients, as a listener.
import { oneLine } from './directive.js';
import { type DraftBind, type DraftListener, type Fields, setIn } from './draft.js';
import { claimsBothFamilies, readBind } from './haproxy-bind.js';
import { facesServers, keepaliveSetting, type PoolTimes, timeOf } from './haproxy-pool.js';
import type { Section, Setting } from './haproxy-sections.js';
import { durationOrOff, wholeNumber } from './haproxy-units.js';
import type { Ledger } from './ledger.js';

export interface Front {
  readonly section: Section;
  readonly settings: readonly Setting[];
  readonly binds: DraftBind[];
  readonly fields: Fields;
  /** The section that serves it; null where there is none. */
  readonly serves: string | null;
}

export function readFront(section: Section, settings: readonly Setting[], ledger: Ledger): Front {
  const binds: DraftBind[] = [];
  const fields: Fields = new Map();
  const own = settings.filter(({ key }) => key === 'bind');
  for (const { directive } of own) readBind(directive, binds, fields, ledger);
  const limit = own.flatMap(({ values }) => values).find(({ text }) => text === 'maxconn');
  if (limit !== undefined && own.length > 1) {
    fields.delete('max_connections');
    const why = 'a limit belongs to the listener, and it has several binds';
    ledger.lost([limit], why, 'a listener of its own for this bind');
  }
  if (claimsBothFamilies(binds)) fields.set('ipv6_only', true);
  return { section, settings, binds, fields, serves: servedBy(section, settings, ledger) };
}

function servedBy(section: Section, settings: readonly Setting[], ledger: Ledger): string | null {
  const uses = settings.filter(({ key }) => key === 'use_backend');
  const always = uses.find(({ values }) => !values.some(({ text }) => /^(if|unless)$/.test(text)));
  const chosen = settings.findLast(({ key }) => key === 'default_backend');
  const picked = always ?? chosen;
  for (const { directive } of uses) {
    if (directive === always?.directive) continue;
    const why = 'a listener has one pool, whatever its clients say';
    ledger.lost(directive.words, why, 'a listener of its own for those clients');
  }
  if (chosen !== undefined && chosen !== picked) {
    ledger.notNeeded(chosen.directive.words, 'another section is always used');
  }
  if (picked !== undefined) {
    ledger.carried(picked.directive.words, 'listeners.*.pool');
    return picked.values[0]?.text ?? null;
  }
  const serves = settings.some(({ key }) => /^(server|server-template|dispatch)$/.test(key));
  return section.kind === 'listen' && serves ? section.name : null;
}

export interface ListenerInput {
  readonly front: Front;
  readonly name: string;
  readonly pool: string;
  readonly times: PoolTimes;
  readonly file: string;
  readonly ledger: Ledger;
}

export function buildListener(input: ListenerInput): DraftListener {
  const { front, name, pool, file, ledger } = input;
  const { section, settings, binds, fields } = front;
  const { line } = section.head.words[0];
  const notes = [oneLine(`${file}:${line} ${section.kind} ${section.name}`, 120)];
  for (const setting of settings) readSetting(setting, fields, ledger);
  readTimes(input, notes);
  return { name, place: section.head.words[0], notes, binds, pool, fields };
}

function readSetting(setting: Setting, fields: Fields, ledger: Ledger): void {
  const { key, directive, values, off } = setting;
  if (/^(option )?clitcpka/.test(key)) keepaliveSetting(setting, 'clitcpka', fields, ledger);
  if (key === 'option tcpka') ledger.notNeeded(directive.words, 'keep-alive is on by default');
  if ((key === 'option tcplog' || key === 'option httplog') && !off) {
    fields.set('access_log', true);
    ledger.carried(directive.words, 'listeners.*.access_log');
  }
  const target = { maxconn: 'max_connections', backlog: 'backlog' }[key];
  if (target === undefined) return;
  const number = wholeNumber(values[0]?.text ?? '');
  if (number === null) ledger.lost(directive.words, 'this is no number', target);
  else if (number === 0) ledger.notNeeded(directive.words, 'there is no limit by default');
  else {
    fields.set(target, number);
    ledger.carried(directive.words, `listeners.*.${target}`);
  }
}

/** What is set nowhere has no limit in HAProxy. */
function readTimes({ front, times, ledger }: ListenerInput, notes: string[]): void {
  const { settings, fields } = front;
  const clientMs = timeOf(settings, ['timeout client', 'clitimeout'], ledger);
  const finMs = timeOf(settings, ['timeout client-fin'], ledger);
  if (times.connectMs !== null && times.connectMs > 0) {
    setIn(fields, 'timeouts', 'connect', durationOrOff(times.connectMs));
  } else notes.push('It had no timeout connect, that is no limit; 5s is the default here.');
  const silences = [clientMs, times.serverMs].filter((ms): ms is number => ms !== null && ms > 0);
  const { tunnelMs } = times;
  const idleMs = tunnelMs !== null && tunnelMs > 0 ? tunnelMs : Math.min(...silences);
  setIn(fields, 'timeouts', 'idle', Number.isFinite(idleMs) ? durationOrOff(idleMs) : 'off');
  if (tunnelMs === null && new Set(silences).size === 2) {
    notes.push('idle is the shorter one of timeout client and timeout server.');
  }
  const fins = [finMs, times.serverFinMs].filter((ms): ms is number => ms !== null);
  if (fins.length > 0) {
    setIn(
      fields,
      'timeouts',
      'half_close',
      durationOrOff(fins.includes(0) ? 0 : Math.max(...fins)),
    );
  }
}

const own = new Set(['bind', 'default_backend', 'use_backend', 'maxconn', 'backlog', 'mode']);

export function facesClients(key: string): boolean {
  return own.has(key) || /^(timeout client|clitimeout|option clitcpka|clitcpka)/.test(key);
}

/** Of a keyword that has no effect in its section, as HAProxy warns. */
export function isMisplaced(kind: string, key: string): boolean {
  if (kind === 'frontend') return facesServers(key);
  return kind === 'backend' && facesClients(key) && key !== 'mode';
}
