// The health check of a pool from what its servers say: HAProxy has one per server, sluice one per
// pool. The first server that is checked decides; what others say differently is told.
import { formatDuration } from '../config/units.js';
import { headOf } from './directive.js';
import { type Fields, setIn } from './draft.js';
import { healthKind } from './haproxy-health.js';
import type { PoolInput, Server } from './haproxy-pool-input.js';
import type { Setting } from './haproxy-sections.js';
import { optionMs, optionNumber, type ServerOptions } from './haproxy-server.js';
import { haproxyMs } from './haproxy-units.js';
import type { Ledger } from './ledger.js';

interface HealthInput extends PoolInput {
  readonly servers: readonly Server[];
  readonly fields: Fields;
  readonly notes: string[];
  readonly connectMs: number | null;
}

/** Of one server; a pool has one of each. */
const perPool = [
  ...['inter', 'fastinter', 'downinter', 'rise', 'fall', 'port', 'check-sni', 'verify', 'ca-file'],
  ...['agent-port', 'agent-inter', 'agent-send', 'on-marked-down', 'observe', 'error-limit'],
  ...['on-error', 'init-state', 'tcp-ut'],
] as const;

export function poolHealth(input: HealthInput): void {
  const { servers, fields, notes, ledger } = input;
  const checked = servers.filter(({ options }) => options.flags.get('check') === true);
  const [first] = checked;
  tellDifferences(servers, first ?? servers[0], ledger);
  if (first === undefined) {
    fields.set('health', 'none');
    healthKindUnused(input.settings, ledger);
  } else {
    for (const { directive } of servers.filter((server) => !checked.includes(server))) {
      const why = 'it is not checked, but a health check belongs to the pool: it is probed too';
      ledger.lost(headOf(directive), why, 'give it a pool of its own with health: none');
    }
    fields.set('health', healthOf(input, first.options));
    if (input.spreadPercent > 0) setJitter(fields, input.spreadPercent);
  }
  readAgent(servers, fields, ledger);
  readReactions(servers, fields, notes, ledger);
  tellUnused(first ?? servers[0], ledger);
}

function healthOf({ settings, ledger, connectMs }: HealthInput, options: ServerOptions): unknown {
  const tls = options.flags.get('check-ssl') ?? options.flags.get('ssl') === true;
  const health = new Map(healthKind(settings, tls, ledger));
  if (tls) readTls(options, health, ledger);
  const interMs = optionMs(options, 'inter', ledger) ?? 2000;
  const carry = (name: string, key: string, value: unknown): void => {
    const given = options.values.get(name);
    if (given === undefined || value === null) return;
    health.set(key, value);
    ledger.carried(given.words, `pools.*.health.${key}`);
  };
  const time = (name: string): string | null => {
    const ms = optionMs(options, name, ledger);
    return ms === null ? null : formatDuration(Math.max(ms, 1));
  };
  carry('inter', 'interval', time('inter'));
  const fastMs = optionMs(options, 'fastinter', ledger);
  carry(
    'fastinter',
    'fast_interval',
    fastMs === null ? null : formatDuration(Math.min(fastMs, interMs)),
  );
  carry('downinter', 'down_interval', time('downinter'));
  const timeout = timeoutOf(settings, interMs, connectMs, ledger);
  if (timeout !== null) health.set('timeout', timeout);
  carry('rise', 'rise', optionNumber(options, 'rise', ledger));
  carry('fall', 'fall', optionNumber(options, 'fall', ledger));
  carry('port', 'port', optionNumber(options, 'port', ledger));
  const state = options.values.get('init-state')?.text;
  if (state !== undefined)
    carry('init-state', 'initial', state.endsWith('down') ? 'unhealthy' : 'healthy');
  return health.size === 1 ? health.get('type') : health;
}

/** HAProxy: an interval, unless `timeout check` says less. */
function timeoutOf(
  settings: readonly Setting[],
  interMs: number,
  connectMs: number | null,
  ledger: Ledger,
): string | null {
  const setting = settings.findLast(({ key, off }) => key === 'timeout check' && !off);
  if (setting === undefined) return interMs > 5000 ? formatDuration(interMs) : null;
  const ms = haproxyMs(setting.values[0]?.text ?? '');
  if (ms === null || ms === 0) {
    ledger.lost(setting.directive.words, 'this is no time for a probe', 'health.timeout');
    return null;
  }
  ledger.carried(setting.directive.words, 'pools.*.health.timeout');
  // There it is for the answer, after up to `timeout connect`; here for all of it.
  return formatDuration(Math.min(ms + Math.min(connectMs ?? 0, interMs), interMs));
}

function readTls(options: ServerOptions, health: Fields, ledger: Ledger): void {
  const verify = options.values.get('verify');
  const ca = options.values.get('ca-file');
  const name = options.values.get('check-sni');
  // HAProxy verifies nothing unless it is told to.
  setIn(health, 'tls', 'verify', verify?.text === 'required');
  if (ca?.text.startsWith('/')) setIn(health, 'tls', 'ca', ca.text);
  if (name !== undefined) setIn(health, 'tls', 'server_name', name.text);
  for (const value of [verify, ca, name]) {
    if (value !== undefined) ledger.carried(value.words, 'pools.*.health.tls');
  }
}

function setJitter(fields: Fields, percent: number): void {
  const health = fields.get('health');
  const map: Fields = health instanceof Map ? health : new Map([['type', health]]);
  fields.set('health', map.set('jitter', Math.min(percent, 50) / 100));
}

function readAgent(servers: readonly Server[], fields: Fields, ledger: Ledger): void {
  const server = servers.find(({ options }) => options.flags.get('agent-check') === true);
  const port = server === undefined ? null : optionNumber(server.options, 'agent-port', ledger);
  if (server === undefined || port === null) return;
  const agent: Fields = new Map([['port', port]]);
  const interval = optionMs(server.options, 'agent-inter', ledger);
  if (interval !== null) agent.set('interval', formatDuration(Math.max(interval, 100)));
  const send = server.options.values.get('agent-send');
  if (send !== undefined) agent.set('send', send.text);
  for (const name of ['agent-port', 'agent-inter', 'agent-send']) {
    const value = server.options.values.get(name);
    if (value !== undefined) ledger.carried(value.words, 'pools.*.agent');
  }
  fields.set('agent', agent);
}

/** What failures of connections lead to, and what becomes of those of a server that is down. */
function readReactions(
  servers: readonly Server[],
  fields: Fields,
  notes: string[],
  ledger: Ledger,
): void {
  for (const { options } of servers) {
    const down = options.values.get('on-marked-down');
    if (down?.text === 'shutdown-sessions') {
      fields.set('on_down', 'close');
      ledger.carried(down.words, 'pools.*.on_down');
    }
    const observe = options.values.get('observe');
    if (observe === undefined) continue;
    const action = options.values.get('on-error');
    const limit = options.values.get('error-limit');
    if (observe.text === 'layer4' && action?.text === 'mark-down') {
      const failures = optionNumber(options, 'error-limit', ledger) ?? 10;
      const rules: Fields = new Map<string, unknown>([
        ['consecutive_failures', Math.max(failures, 1)],
      ]);
      if (!fields.has('outlier'))
        notes.push('outlier: a failing target comes back by time, not by a probe.');
      fields.set('outlier', rules.set('failure_rate_deviations', 'off'));
      ledger.carried(observe.words, 'pools.*.outlier');
      ledger.carried(action.words, 'pools.*.outlier');
      if (limit !== undefined) ledger.carried(limit.words, 'pools.*.outlier.consecutive_failures');
      continue;
    }
    const why = 'failures of connections do not count as failed probes';
    for (const value of [observe, action, limit]) {
      if (value !== undefined) ledger.lost(value.words, why, 'passive or outlier of the pool');
    }
  }
}

function tellDifferences(
  servers: readonly Server[],
  first: Server | undefined,
  ledger: Ledger,
): void {
  for (const name of perPool) {
    const chosen = first?.options.values.get(name);
    for (const { options } of servers) {
      const value = options.values.get(name);
      if (value === undefined || value === chosen) continue;
      if (value.text === chosen?.text) ledger.carried(value.words, 'as that of the first target');
      else ledger.lost(value.words, 'a pool has one of these for all targets', 'a pool of its own');
    }
  }
}

/** Such as the interval of a pool that is not checked. */
function tellUnused(chosen: Server | undefined, ledger: Ledger): void {
  for (const name of perPool) {
    const words = chosen?.options.values.get(name)?.words;
    if (name === 'tcp-ut' || words === undefined || ledger.has(words[0])) continue;
    ledger.notNeeded(words, `nothing asks for ${name} here`);
  }
}

function healthKindUnused(settings: readonly Setting[], ledger: Ledger): void {
  for (const { key, directive } of settings) {
    if (!/^(option .*(check|chk)$|timeout check$|(tcp|http)-check )/.test(key)) continue;
    if (!ledger.has(directive.words[0])) ledger.notNeeded(directive.words, 'no server has `check`');
  }
}
