// A `backend`, or the part of a `listen` that faces its servers, as a pool.
import { formatDuration } from '../config/units.js';
import { argument, oneLine } from './directive.js';
import { type DraftPool, type Fields, setIn } from './draft.js';
import { proxyFate } from './haproxy-fates.js';
import { isCheckOption } from './haproxy-health.js';
import { policyOf } from './haproxy-policy.js';
import { poolHealth } from './haproxy-pool-health.js';
import type { PoolInput, Server } from './haproxy-pool-input.js';
import type { Setting } from './haproxy-sections.js';
import {
  copyOptions,
  emptyOptions,
  optionMs,
  optionNumber,
  readServerOptions,
  readSourceWords,
  serverAddress,
} from './haproxy-server.js';
import { stickyOf } from './haproxy-sticky.js';
import { durationOrOff, haproxyMs, wholeNumber } from './haproxy-units.js';
import type { Ledger } from './ledger.js';

/** Times that sluice keeps with the listener. null: not set, which is no limit. */
export interface PoolTimes {
  readonly connectMs: number | null;
  readonly serverMs: number | null;
  readonly tunnelMs: number | null;
  readonly serverFinMs: number | null;
}

export interface PoolPlan {
  readonly pool: DraftPool;
  readonly times: PoolTimes;
}

/** Keywords that face servers, and are looked at here. */
const own = new Set([
  ...['server', 'server-template', 'default-server', 'balance', 'hash-type', 'retries', 'source'],
  ...['hash-balance-factor', 'option allbackups', 'timeout connect', 'timeout server', 'dispatch'],
  ...['timeout tunnel', 'timeout server-fin', 'timeout queue', 'timeout check', 'option srvtcpka'],
  ...['stick-table', 'stick on', 'stick match', 'stick store-request', 'srvtcpka-idle'],
  ...['srvtcpka-intvl', 'srvtcpka-cnt', 'timeout contimeout', 'contimeout', 'srvtimeout'],
]);

export function facesServers(key: string): boolean {
  return own.has(key) || isCheckOption(key) || /^(tcp|http)-check /.test(key);
}

export function readPool(input: PoolInput): PoolPlan {
  const { name, section, settings, ledger, file } = input;
  const fields: Fields = new Map();
  const { line } = section.head.words[0];
  const notes = [oneLine(`${file}:${line} ${section.kind} ${section.name}`, 120)];
  const servers = readServers(input);
  const pool: DraftPool = {
    name,
    place: section.head.words[0],
    notes,
    fields,
    targets: servers.map((server) => ({
      place: server.directive.words[0],
      fields: targetFields(server, ledger),
    })),
  };
  const weighted = new Set(pool.targets.map((target) => target.fields.get('weight') ?? 1)).size > 1;
  policyOf(settings, weighted, fields, ledger);
  stickyOf(settings, input.settingsOf, fields, ledger);
  const connectMs = timeOf(
    settings,
    ['timeout connect', 'timeout contimeout', 'contimeout'],
    ledger,
  );
  poolHealth({ ...input, servers, fields, notes, connectMs });
  readRetries(settings, fields, ledger);
  readBackups(settings, servers, fields, ledger);
  readQueue(settings, servers, connectMs, fields, notes, ledger);
  readSource(settings, servers, fields, ledger);
  readKeepalive(settings, servers, fields, ledger);
  return {
    pool,
    times: {
      connectMs,
      serverMs: timeOf(settings, ['timeout server', 'srvtimeout'], ledger),
      tunnelMs: timeOf(settings, ['timeout tunnel'], ledger),
      serverFinMs: timeOf(settings, ['timeout server-fin'], ledger),
    },
  };
}

function readServers({ settings, ledger, port }: PoolInput): readonly Server[] {
  const servers: Server[] = [];
  const shared = emptyOptions();
  for (const { key, directive } of settings) {
    if (key === 'default-server') {
      ledger.carried(directive.words, 'the options of the targets below it');
      readServerOptions(directive, 1, shared, ledger);
    }
    const isTemplate = key === 'server-template';
    if (key !== 'server' && key !== 'dispatch' && !isTemplate) continue;
    const at = key === 'server' ? 1 : isTemplate ? 2 : 0;
    const result = serverAddress(argument(directive, at), port);
    if ('why' in result) {
      ledger.lost(directive.words, result.why, 'name a target for each port');
      continue;
    }
    ledger.carried(directive.words, 'pools.*.targets');
    if (isTemplate) {
      const why = 'a name is resolved to one address, so that one target is made of the template';
      ledger.lost([directive.words[0]], why, 'list the others one by one');
    }
    const options = copyOptions(shared);
    readServerOptions(directive, at + 2, options, ledger);
    const name = key === 'dispatch' ? 'dispatch' : argument(directive, 0) + (isTemplate ? '1' : '');
    servers.push({ directive, name, address: result.address, options });
  }
  return servers;
}

function targetFields(server: Server, ledger: Ledger): Fields {
  const { options } = server;
  const fields: Fields = new Map<string, unknown>([
    ['address', server.address],
    ['name', server.name],
  ]);
  const weight = optionNumber(options, 'weight', ledger);
  const off = options.flags.get('disabled') === true;
  if (off) fields.set('weight', 0);
  else if (weight !== null && weight !== 1) fields.set('weight', weight);
  if (options.flags.get('backup') === true) fields.set('backup', true);
  const limit = optionNumber(options, 'maxconn', ledger);
  if (limit !== null && limit > 0) fields.set('max_connections', limit);
  const maxqueue = options.values.get('maxqueue');
  if (maxqueue !== undefined && maxqueue.text !== '0') {
    ledger.lost(maxqueue.words, 'a queue belongs to the pool', 'queue.max of the pool');
  }
  const ssl = options.flagWords.get('ssl');
  if (options.flags.get('ssl') === true && ssl !== undefined) {
    const why = 'sluice does not speak TLS to targets';
    ledger.lost([ssl], why, 'clients may speak TLS themselves: it passes through');
  }
  return fields;
}

/** The last of these keywords that is set. */
export function timeOf(
  settings: readonly Setting[],
  keys: readonly string[],
  ledger: Ledger,
): number | null {
  const setting = settings.findLast(({ key, off }) => keys.includes(key) && !off);
  if (setting === undefined) return null;
  const ms = haproxyMs(setting.values[0]?.text ?? '');
  if (ms === null) ledger.lost(setting.directive.words, 'this is no time of HAProxy', 'timeouts');
  else ledger.carried(setting.directive.words, `${setting.key} of the listeners or the pool`);
  return ms;
}

function readRetries(settings: readonly Setting[], fields: Fields, ledger: Ledger): void {
  const setting = settings.findLast(({ key }) => key === 'retries');
  if (setting === undefined) return;
  const number = wholeNumber(setting.values[0]?.text ?? '');
  if (number === null) {
    ledger.lost(setting.directive.words, 'this is no number', 'retries');
    return;
  }
  fields.set('retries', Math.min(number, 15));
  ledger.carried(setting.directive.words, 'pools.*.retries');
}

function readBackups(
  settings: readonly Setting[],
  servers: readonly Server[],
  fields: Fields,
  ledger: Ledger,
): void {
  const all = settings.findLast(({ key }) => key === 'option allbackups');
  if (all !== undefined) ledger.carried(all.directive.words, 'pools.*.backups');
  const backups = servers.filter(({ options }) => options.flags.get('backup') === true).length;
  if (backups > 1) fields.set('backups', all !== undefined && !all.off ? 'all' : 'one');
}

/** HAProxy lets clients wait wherever a server has a maxconn. */
function readQueue(
  settings: readonly Setting[],
  servers: readonly Server[],
  connectMs: number | null,
  fields: Fields,
  notes: string[],
  ledger: Ledger,
): void {
  const limited = servers.some(({ options }) => {
    return Number(options.values.get('maxconn')?.text ?? 0) > 0;
  });
  const setting = settings.findLast(({ key }) => key === 'timeout queue');
  if (!limited) {
    if (setting !== undefined) {
      ledger.notNeeded(setting.directive.words, 'nobody waits without a maxconn of a server');
    }
    return;
  }
  const ms = timeOf(settings, ['timeout queue'], ledger) ?? connectMs ?? 0;
  fields.set('queue', new Map(ms > 0 ? [['timeout', formatDuration(ms)]] : []));
  notes.push('At most 1024 clients wait (queue.max); in HAProxy they are without bound.');
}

function readSource(
  settings: readonly Setting[],
  servers: readonly Server[],
  fields: Fields,
  ledger: Ledger,
): void {
  const setting = settings.findLast(({ key, off }) => key === 'source' && !off);
  const word = setting?.values[0];
  if (setting !== undefined && word !== undefined) {
    ledger.carried(setting.directive.words, 'pools.*.source');
    readSourceWords(setting.values.slice(1), ledger);
  }
  const ofServers = servers.flatMap(({ options }) => options.values.get('source') ?? []);
  const texts = new Set(ofServers.map(({ text }) => text));
  const agreed = texts.size === 1 && ofServers.length === servers.length;
  for (const { words } of ofServers) {
    if (agreed) ledger.carried(words, 'pools.*.source');
    else ledger.lost(words, 'a source belongs to the pool', 'pools of their own for these targets');
  }
  const text = (agreed ? [...texts][0] : undefined) ?? word?.text ?? '';
  const host = text.replace(/^\[?(.*?)\]?(:\d+(-\d+)?)?$/, '$1');
  if (host !== '' && host !== '*' && host !== '0.0.0.0' && host !== '::')
    fields.set('source', host);
}

function readKeepalive(
  settings: readonly Setting[],
  servers: readonly Server[],
  fields: Fields,
  ledger: Ledger,
): void {
  for (const setting of settings.filter(({ key }) => /^(option )?srvtcpka/.test(key))) {
    keepaliveSetting(setting, 'srvtcpka', fields, ledger);
  }
  const [first] = servers.flatMap(({ options }) => options.values.get('tcp-ut') ?? []);
  const server = servers.find(({ options }) => options.values.has('tcp-ut'));
  const ms = server === undefined ? null : optionMs(server.options, 'tcp-ut', ledger);
  if (first === undefined || ms === null) return;
  setIn(fields, 'tcp', 'user_timeout', durationOrOff(ms));
  ledger.carried(first.words, 'pools.*.tcp.user_timeout');
}

/** `srvtcpka-idle` and its like, and the same for clients. */
export function keepaliveSetting(
  { key, directive, values }: Setting,
  prefix: string,
  fields: Fields,
  ledger: Ledger,
): void {
  const part = { idle: 'idle', intvl: 'interval', cnt: 'count' }[key.slice(prefix.length + 1)];
  if (part === undefined) {
    ledger.notNeeded(directive.words, 'keep-alive is on by default');
    return;
  }
  const text = values[0]?.text ?? '';
  const ms = haproxyMs(text, 's');
  const value = part === 'count' ? wholeNumber(text) : ms === null ? null : formatDuration(ms);
  if (value === null) {
    ledger.lost(directive.words, 'its value is not understood', 'tcp.keepalive');
    return;
  }
  const tcp = fields.get('tcp');
  const inner = tcp instanceof Map ? tcp.get('keepalive') : undefined;
  const keepalive: Fields = inner instanceof Map ? inner : new Map();
  setIn(fields, 'tcp', 'keepalive', keepalive.set(part, value));
  ledger.carried(directive.words, `tcp.keepalive.${part}`);
}

/** What becomes of a setting that nobody has looked at. */
export function otherSetting({ key, directive, off }: Setting, ledger: Ledger): void {
  if (ledger.has(directive.words[0])) return;
  if (off) {
    ledger.notNeeded(directive.words, 'switches something off that sluice does not do');
    return;
  }
  const fate = proxyFate(key);
  if (fate === undefined) {
    ledger.lost(directive.words, 'sluice import does not know this', 'docs/migration.md');
  } else if (fate.fate === 'lost') ledger.lost(directive.words, fate.why, fate.instead);
  else ledger.notNeeded(directive.words, fate.why);
}
