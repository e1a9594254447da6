// `server` of an nginx stream as a listener, or two: one for TCP and one for UDP.
import { formatDuration } from '../config/units.js';
import { argument, type Directive, nameOf, oneLine } from './directive.js';
import { type DraftListener, type DraftPool, type Fields, setIn } from './draft.js';
import type { Ledger } from './ledger.js';
import { nginxHealth } from './nginx-health.js';
import { type NginxListen, readListen } from './nginx-listen.js';
import { nginxMs } from './nginx-units.js';

export interface StreamFacts {
  readonly file: string;
  readonly ledger: Ledger;
  /** Directives of `stream` that servers inherit. */
  readonly inherited: readonly Directive[];
  readonly matches: ReadonlyMap<string, Directive>;
  readonly names: (wanted: string) => string;
  /** The pool that a proxy_pass leads to; null: it is told why not. */
  readonly poolOf: (pass: Directive) => DraftPool | null;
}

const own = new Set(['listen', 'server_name', 'allow', 'deny', 'proxy_pass']);

export function readServer(directive: Directive, facts: StreamFacts): readonly DraftListener[] {
  const { ledger } = facts;
  const inside = directive.block ?? [];
  const last = (name: string): Directive | undefined => {
    const here = inside.findLast((one) => nameOf(one) === name);
    return (
      here ?? (own.has(name) ? undefined : facts.inherited.findLast((one) => nameOf(one) === name))
    );
  };
  const tcp: NginxListen = { binds: [], fields: new Map() };
  const udp: NginxListen = { binds: [], fields: new Map() };
  for (const inner of inside.filter((one) => nameOf(one) === 'listen')) {
    readListen(inner, tcp, udp, ledger);
  }
  const pass = last('proxy_pass');
  const pool = pass === undefined ? null : facts.poolOf(pass);
  if (pool === null) {
    const why = pass === undefined ? 'it passes nothing on' : 'nothing is left to serve it';
    ledger.lost(directive.words, why, 'write the listener by hand');
    return [];
  }
  ledger.carried(directive.words, 'listeners');
  readPoolSettings(pool, last, tcp.binds.length > 0, facts);
  const { line } = directive.words[0];
  const both = tcp.binds.length > 0 && udp.binds.length > 0;
  return [tcp, udp]
    .filter(({ binds }) => binds.length > 0)
    .map(({ binds, fields }): DraftListener => {
      const isUdp = fields.get('protocol') === 'udp';
      readTimes(last, isUdp, fields, ledger);
      readUdp(last, isUdp, both, fields, ledger);
      readLog(last, fields, ledger);
      readNodelay(last, isUdp, fields, ledger);
      const name = facts.names(isUdp && both ? `${pool.name}-udp` : pool.name);
      const notes = [oneLine(`${facts.file}:${line} server`, 120)];
      return { name, place: directive.words[0], notes, binds, pool: pool.name, fields };
    });
}

type Last = (name: string) => Directive | undefined;

/** The value in ms, `otherwise` where it is not set or no time. */
function timeOf(directive: Directive | undefined, otherwise: number, ledger: Ledger): number {
  if (directive === undefined) return otherwise;
  const ms = nginxMs(argument(directive, 0));
  if (ms === null || ms === 0) {
    ledger.lost(directive.words, 'this is no time of nginx that can be kept', 'timeouts');
    return otherwise;
  }
  ledger.carried(directive.words, 'listeners.*.timeouts');
  return ms;
}

/** What is not set is written out, because nginx's defaults are not those of sluice. */
function readTimes(last: Last, isUdp: boolean, fields: Fields, ledger: Ledger): void {
  const connect = last('proxy_connect_timeout');
  if (!isUdp) {
    const ms = timeOf(connect, 60_000, ledger);
    setIn(fields, 'timeouts', 'connect', formatDuration(ms));
  } else if (connect !== undefined) {
    ledger.notNeeded(connect.words, 'a session has no connect');
  }
  const idleMs = timeOf(last('proxy_timeout'), 600_000, ledger);
  setIn(fields, 'timeouts', 'idle', formatDuration(idleMs));
}

function readUdp(last: Last, isUdp: boolean, both: boolean, fields: Fields, ledger: Ledger): void {
  for (const [name, key] of [
    ['proxy_requests', 'requests'],
    ['proxy_responses', 'responses'],
  ] as const) {
    const directive = last(name);
    if (directive === undefined) continue;
    const number = Number(argument(directive, 0));
    if (!isUdp) {
      if (!both) ledger.notNeeded(directive.words, 'is for datagrams only');
    } else if (Number.isInteger(number) && number > 0) {
      setIn(fields, 'udp', key, number);
      ledger.carried(directive.words, `listeners.*.udp.${key}`);
    } else if (key === 'responses') {
      const why = 'a session does not end before its first answer';
      ledger.lost(directive.words, why, 'a short timeouts.idle frees it');
    } else ledger.notNeeded(directive.words, 'there is no bound by default');
  }
}

function readLog(last: Last, fields: Fields, ledger: Ledger): void {
  const log = last('access_log');
  if (log === undefined) return;
  if (argument(log, 0) !== 'off') fields.set('access_log', true);
  ledger.carried(log.words, 'listeners.*.access_log');
}

function readNodelay(last: Last, isUdp: boolean, fields: Fields, ledger: Ledger): void {
  const directive = last('tcp_nodelay');
  if (directive === undefined) return;
  if (argument(directive, 0) !== 'off' || isUdp) {
    ledger.notNeeded(directive.words, 'is on by default');
    return;
  }
  setIn(fields, 'tcp', 'nodelay', false);
  ledger.carried(directive.words, 'listeners.*.tcp.nodelay');
}

/** What nginx keeps with the server and sluice with the pool. */
function readPoolSettings(pool: DraftPool, last: Last, isTcp: boolean, facts: StreamFacts): void {
  const { ledger } = facts;
  const retries = retriesOf(pool, last, ledger);
  if (retries !== null) pool.fields.set('retries', retries);
  const bind = last('proxy_bind');
  if (bind !== undefined) {
    const address = argument(bind, 0);
    if (address === 'off') ledger.notNeeded(bind.words, 'is so by default');
    else if (address.includes('$') || bind.words.length > 2) {
      const why = 'sluice does not connect under the addresses of clients';
      ledger.lost(bind.words, why, 'use an address of this machine as source');
    } else {
      pool.fields.set('source', address.replace(/^\[(.*)\]$/, '$1'));
      ledger.carried(bind.words, 'pools.*.source');
    }
  }
  const keepalive = last('proxy_socket_keepalive');
  if (keepalive !== undefined) ledger.notNeeded(keepalive.words, 'keep-alive is on by default');
  const nodelay = last('tcp_nodelay');
  if (isTcp && nodelay !== undefined && argument(nodelay, 0) === 'off') {
    setIn(pool.fields, 'tcp', 'nodelay', false);
  }
  const check = last('health_check');
  if (check === undefined || argument(check, 0) === 'off') return;
  pool.fields.set(
    'health',
    nginxHealth(check, last('health_check_timeout'), facts.matches, ledger),
  );
}

/** null: as by default. nginx tries each server once. */
function retriesOf(pool: DraftPool, last: Last, ledger: Ledger): number | null {
  const next = last('proxy_next_upstream');
  const tries = last('proxy_next_upstream_tries');
  const others = Math.min(pool.targets.length - 1, 15);
  if (next !== undefined) ledger.carried(next.words, 'pools.*.retries');
  if (tries !== undefined) ledger.carried(tries.words, 'pools.*.retries');
  if (next !== undefined && argument(next, 0) === 'off') return 0;
  const number = tries === undefined ? 0 : Number(argument(tries, 0));
  if (Number.isInteger(number) && number > 0) return Math.min(number - 1, 15);
  return others > 2 ? others : null;
}
