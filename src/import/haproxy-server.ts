// `server` and `default-server` of HAProxy: what the words behind the address say.
import type { Directive, Word } from './directive.js';
import { haproxyMs, wholeNumber } from './haproxy-units.js';
import type { Ledger } from './ledger.js';

/** Options as they hold for one server: those of `default-server` first. */
export interface ServerOptions {
  readonly flags: Map<string, boolean>;
  /** Where those are that are set. */
  readonly flagWords: Map<string, Word>;
  readonly values: Map<
    string,
    { readonly text: string; readonly words: readonly [Word, ...Word[]] }
  >;
}

interface Fate {
  readonly takes: number;
  readonly lost: boolean;
  readonly why: string;
  readonly instead: string;
}

const lost = (takes: number, why: string, instead: string): Fate => {
  return { takes, lost: true, why, instead };
};
const dull = (takes: number, why: string): Fate => ({ takes, lost: false, why, instead: '' });
const each = (names: string, fate: Fate): Readonly<Record<string, Fate>> =>
  Object.fromEntries(names.split(' ').map((name) => [name, fate]));

const noTls = 'sluice does not speak TLS to targets';
const plainInstead = 'clients may speak TLS themselves: it passes through';
const noHeader = 'sluice sends no PROXY header, so the target sees the address of sluice';
const noHeaderInstead = 'switch it off on the target, or it refuses connections';

/** Options that are read where the pool is built. */
const flags = new Set(['check', 'backup', 'disabled', 'agent-check', 'check-ssl', 'ssl']);
const values = new Set([
  ...['inter', 'fastinter', 'downinter', 'rise', 'fall', 'port', 'weight', 'maxconn', 'maxqueue'],
  ...[
    'agent-port',
    'agent-inter',
    'agent-send',
    'check-sni',
    'verify',
    'ca-file',
    'on-marked-down',
  ],
  ...['observe', 'error-limit', 'on-error', 'source', 'tcp-ut', 'init-state'],
]);

const fates: Readonly<Record<string, Fate>> = {
  ...each('send-proxy send-proxy-v2 send-proxy-v2-ssl', lost(0, noHeader, noHeaderInstead)),
  ...each('send-proxy-v2-ssl-cn', lost(0, noHeader, noHeaderInstead)),
  ...each('proxy-v2-options set-proxy-v2-tlv-fmt', lost(1, noHeader, noHeaderInstead)),
  'check-send-proxy': lost(0, 'probes send no PROXY header', 'let the target take probes without'),
  ...each(
    'sni crt ciphers ciphersuites alpn npn crl-file ssl-min-ver ssl-max-ver verifyhost curves',
    lost(1, noTls, plainInstead),
  ),
  ...each(
    'allow-0rtt no-ssl-reuse ssl-reuse force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 ktls',
    lost(0, noTls, plainInstead),
  ),
  ...each(
    'force-tlsv13 no-sslv3 no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 no-tls-tickets tls-tickets',
    lost(0, noTls, plainInstead),
  ),
  ...each(
    'check-alpn check-proto',
    lost(1, 'probes offer no protocol', 'health: tls: { alpn: [...] }'),
  ),
  ...each(
    'addr agent-addr',
    lost(1, 'probes go to the address of the target', 'health.port, or type exec'),
  ),
  minconn: lost(1, 'limits do not follow the load', 'max_connections is the limit'),
  slowstart: lost(
    1,
    'a target that is back gets its whole share at once',
    'an agent can raise its weight',
  ),
  track: lost(1, 'each pool probes for itself', 'nothing: it has its own health check'),
  tfo: lost(0, 'sluice has no TCP fast open', 'nothing: it connects without'),
  namespace: lost(1, 'sluice connects in its own network namespace', 'start it in that one'),
  socks4: lost(1, 'sluice does not connect through proxies', 'route to the target'),
  'check-via-socks4': lost(0, 'probes go through no proxies', 'route to the target'),
  'resolve-prefer': lost(
    1,
    'sluice takes the address that the resolver gives first',
    'name an address',
  ),
  'resolve-net': lost(
    1,
    'sluice takes the address that the resolver gives first',
    'name an address',
  ),
  'on-marked-up': lost(
    1,
    'connections to backups are left alone when others return',
    'sluice drain POOL/TARGET ends them',
  ),
  'non-stick': lost(
    0,
    'a sticky pool is so for all targets',
    'put the target into a pool of its own',
  ),
  'strict-maxconn': dull(0, 'max_connections counts connections'),
  'hash-key': lost(1, 'a target is hashed by its name', 'names are kept'),
  ...each(
    'id guid name log-proto shard log-bufsize cookie redir ws proto max-reuse',
    dull(1, 'has no effect here'),
  ),
  ...each(
    'pool-max-conn pool-low-conn pool-purge-delay pool-conn-name',
    dull(1, 'is for HTTP only'),
  ),
  ...each('check-pool-conn-name idle-ping check-reuse-pool', dull(1, 'is for HTTP only')),
  ...each(
    'init-addr resolvers resolve-opts',
    dull(1, 'a name that does not resolve is asked for again'),
  ),
  ...each(
    'enabled no-backup no-check no-agent-check no-check-ssl no-ssl no-send-proxy',
    dull(0, 'is so by default'),
  ),
  ...each(
    'no-send-proxy-v2 no-send-proxy-v2-ssl no-send-proxy-v2-ssl-cn',
    dull(0, 'is so by default'),
  ),
  ...each('stick no-tfo no-check-send-proxy no-check-reuse-pool', dull(0, 'is so by default')),
};

export function emptyOptions(): ServerOptions {
  return { flags: new Map(), flagWords: new Map(), values: new Map() };
}

export function copyOptions(from: ServerOptions): ServerOptions {
  const { flags: set, flagWords, values: given } = from;
  return { flags: new Map(set), flagWords: new Map(flagWords), values: new Map(given) };
}

/** Reads the words from `start` on into `options`. */
export function readServerOptions(
  directive: Directive,
  start: number,
  options: ServerOptions,
  ledger: Ledger,
): void {
  const { words } = directive;
  let index = start;
  while (index < words.length) {
    const word = words[index];
    if (word === undefined) break;
    index += 1 + readOption(word, words.slice(index + 1), options, ledger);
  }
}

/** How many words behind it belong to it. */
function readOption(
  word: Word,
  rest: readonly Word[],
  options: ServerOptions,
  ledger: Ledger,
): number {
  const name = word.text;
  if (flags.has(name)) {
    options.flags.set(name, true);
    options.flagWords.set(name, word);
    return 0;
  }
  const negated = name.startsWith('no-') ? name.slice(3) : '';
  if (flags.has(negated)) options.flags.set(negated, false);
  if (name === 'enabled') options.flags.set('disabled', false);
  const value = rest[0];
  if (values.has(name) && value !== undefined) {
    options.values.set(name, { text: value.text, words: [word, value] });
    return 1 + (name === 'source' ? readSourceWords(rest.slice(1), ledger) : 0);
  }
  const fate = Object.hasOwn(fates, name) ? fates[name] : undefined;
  if (fate === undefined) {
    ledger.lost([word], 'sluice import does not know this option of a server', 'write it by hand');
    return 0;
  }
  const taken: readonly [Word, ...Word[]] =
    fate.takes > 0 && value !== undefined ? [word, value] : [word];
  if (fate.lost) ledger.lost(taken, fate.why, fate.instead);
  else ledger.notNeeded(taken, fate.why);
  return fate.takes;
}

/** `usesrc clientip`, `interface eth0` behind `source`. */
export function readSourceWords(rest: readonly Word[], ledger: Ledger): number {
  const [word, value] = rest;
  if (word === undefined || (word.text !== 'usesrc' && word.text !== 'interface')) return 0;
  const words: readonly [Word, ...Word[]] = value === undefined ? [word] : [word, value];
  const why =
    word.text === 'usesrc'
      ? 'sluice does not connect under the addresses of clients'
      : 'sluice binds no interface for connections to targets';
  ledger.lost(words, why, 'use an address of this machine as source');
  return words.length;
}

/** A time of an option; null: not there. A bad one is told. */
export function optionMs(options: ServerOptions, name: string, ledger: Ledger): number | null {
  const value = options.values.get(name);
  if (value === undefined) return null;
  const ms = haproxyMs(value.text);
  if (ms === null) ledger.lost(value.words, 'this is no time of HAProxy', 'write it by hand');
  return ms;
}

export function optionNumber(options: ServerOptions, name: string, ledger: Ledger): number | null {
  const value = options.values.get(name);
  if (value === undefined) return null;
  const number = wholeNumber(value.text);
  if (number === null) ledger.lost(value.words, 'this is no number', 'write it by hand');
  return number;
}

/** The text of sluice for a server's address; `port`: of the listener, for those without one. */
export function serverAddress(
  text: string,
  port: number | null,
): { readonly address: string } | { readonly why: string } {
  if (text.startsWith('unix@')) return { address: `unix:${text.slice(5)}` };
  if (text.startsWith('/')) return { address: `unix:${text}` };
  if (text.startsWith('abns@')) return { address: `unix:@${text.slice(5)}` };
  const foreign = /^(fd|sockpair|quic4|quic6|rhttp|mptcp4|mptcp6|abnsz)@/.exec(text)?.[1];
  if (foreign !== undefined) return { why: `sluice has no ${foreign}@ addresses` };
  const bare = text.replace(/^(ipv4|ipv6|tcp|tcp4|tcp6|stream\+ipv4|stream\+ipv6)@/, '');
  const bracket = /^\[([^\]]*)\](?::(.*))?$/.exec(bare);
  const colon = bare.lastIndexOf(':');
  const host = bracket?.[1] ?? (colon < 0 ? bare : bare.slice(0, colon));
  const given = bracket === null ? (colon < 0 ? '' : bare.slice(colon + 1)) : (bracket[2] ?? '');
  const offset = /^[+-]\d+$/.test(given);
  if ((given === '' || offset) && port === null) {
    return { why: 'its port is that which the client used, and sluice connects to a fixed one' };
  }
  const resolved = given === '' || offset ? String((port ?? 0) + Number(given || 0)) : given;
  return { address: `${host.includes(':') ? `[${host}]` : host}:${resolved}` };
}
