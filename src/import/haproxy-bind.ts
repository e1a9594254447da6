// `bind` of HAProxy: its addresses, and what becomes of each parameter.
import type { Directive, Word } from './directive.js';
import type { DraftBind, Fields } from './draft.js';
import { setIn } from './draft.js';
import { durationOrOff, haproxyMs, wholeNumber } from './haproxy-units.js';
import type { Ledger } from './ledger.js';

/** HAProxy's `*` is every IPv4 address, unlike sluice's. */
export function bindAddress(text: string): { readonly bind: string } | { readonly why: string } {
  const bare = text.replace(/^(ipv4|tcp4|tcp|stream\+ipv4|ipv6|tcp6|udp|udp4|udp6)@/, '');
  if (text.startsWith('unix@')) return { bind: `unix:${text.slice(5)}` };
  if (text.startsWith('/')) return { bind: `unix:${text}` };
  if (text.startsWith('abns@')) return { bind: `unix:@${text.slice(5)}` };
  const foreign = /^(fd|sockpair|quic4|quic6|rhttp|abnsz|mptcp4|mptcp6)@/.exec(text)?.[1];
  if (foreign !== undefined) return { why: `sluice has no ${foreign}@ addresses` };
  const colon = bare.lastIndexOf(':');
  if (colon < 0) return { why: 'the address has no port' };
  const port = bare.slice(colon + 1);
  const host = bare.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  if (host === '' || host === '*') {
    return { bind: /^(ipv6|tcp6)@/.test(text) ? `[::]:${port}` : `0.0.0.0:${port}` };
  }
  return { bind: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}` };
}

interface Parameter {
  /** Arguments behind it. */
  readonly takes: number;
  readonly fate?: 'not_needed' | 'lost';
  readonly why?: string;
  readonly instead?: string;
}

const dull: Parameter = { takes: 1, fate: 'not_needed', why: 'tunes HAProxy itself' };
const dullFlag: Parameter = { ...dull, takes: 0 };
const tls: Parameter = {
  takes: 1,
  fate: 'lost',
  why: 'sluice does not end TLS: it passes it on to the targets as it is',
  instead: 'let the targets speak TLS, with the certificate',
};
const tlsFlag: Parameter = { ...tls, takes: 0 };
const sender: Parameter = {
  takes: 0,
  fate: 'lost',
  why: 'sluice does not read PROXY headers: they reach the targets as they are',
  instead: 'let the targets read them, or leave the sender out',
};
const option = (takes: number, why: string, instead: string): Parameter => {
  return { takes, fate: 'lost', why, instead };
};

const parameters: Readonly<Record<string, Parameter>> = {
  ...Object.fromEntries(
    [
      'name',
      'nice',
      'process',
      'thread',
      'id',
      'level',
      'severity-output',
      'shards',
      'proto',
      'guid-prefix',
    ].map((name) => [name, dull]),
  ),
  'expose-fd': dull,
  ...Object.fromEntries(
    [
      ...['crt', 'ca-file', 'ca-verify-file', 'ca-sign-file', 'ca-sign-pass', 'ciphers', 'curves'],
      ...[
        'ciphersuites',
        'crl-file',
        'crt-list',
        'crt-ignore-err',
        'ca-ignore-err',
        'ecdhe',
        'alpn',
      ],
      ...[
        'npn',
        'verify',
        'ssl-min-ver',
        'ssl-max-ver',
        'tls-ticket-keys',
        'sigalgs',
        'client-sigalgs',
      ],
      ...['default-crt', 'ktls', 'ocsp-update'],
    ].map((name) => [name, tls]),
  ),
  ...Object.fromEntries(
    [
      ...['ssl', 'strict-sni', 'allow-0rtt', 'generate-certificates', 'no-sslv3', 'no-tlsv10'],
      ...['no-tlsv11', 'no-tlsv12', 'no-tlsv13', 'no-tls-tickets', 'prefer-client-ciphers'],
      ...['force-sslv3', 'force-tlsv10', 'force-tlsv11', 'force-tlsv12', 'force-tlsv13', 'no-alpn'],
      ...['no-ca-names', 'no-strict-sni', 'tls-tickets'],
    ].map((name) => [name, tlsFlag]),
  ),
  'accept-proxy': sender,
  'accept-netscaler-cip': { ...sender, takes: 1 },
  'defer-accept': { ...dullFlag, why: 'sluice accepts at once; a silent client waits for no one' },
  tfo: option(0, 'sluice has no TCP fast open', 'nothing: clients connect without it'),
  transparent: option(0, 'sluice does not bind foreign addresses', 'bind addresses of the machine'),
  interface: option(
    1,
    'sluice binds addresses, not interfaces',
    'bind the address of the interface',
  ),
  mss: option(1, 'sluice leaves the segment size to the kernel', 'set advmss on the route'),
  namespace: option(1, 'sluice binds in its own network namespace', 'start it in that one'),
  uid: option(1, 'the socket belongs to the user of sluice', 'User= in the unit of systemd'),
  gid: option(1, 'the socket belongs to the group of sluice', 'Group= in the unit of systemd'),
  user: option(1, 'the socket belongs to the user of sluice', 'User= in the unit of systemd'),
  group: option(1, 'the socket belongs to the group of sluice', 'Group= in the unit of systemd'),
  nbconn: option(1, 'sluice has no reverse connections', 'keep HAProxy for this section'),
};

/** Adds the addresses to `binds`, and what the parameters say to `fields`. */
export function readBind(
  directive: Directive,
  binds: DraftBind[],
  fields: Fields,
  ledger: Ledger,
): void {
  const [, address, ...rest] = directive.words;
  ledger.carried(directive.words, 'listeners.*.bind');
  for (const text of (address?.text ?? '').split(',')) {
    const result = bindAddress(text);
    if ('bind' in result) binds.push({ text: result.bind, place: directive.words[0] });
    else if (address !== undefined) {
      ledger.lost(
        [{ ...address, text }],
        result.why,
        'bind an IP address and a port, or unix:/path',
      );
    }
  }
  let index = 0;
  while (index < rest.length) {
    const word = rest[index];
    if (word === undefined) break;
    index += 1 + readParameter(word, rest[index + 1], fields, ledger);
  }
}

/** How many arguments it has taken. */
function readParameter(
  word: Word,
  value: Word | undefined,
  fields: Fields,
  ledger: Ledger,
): number {
  const text = value?.text ?? '';
  const carry = (to: string): number => {
    ledger.carried(value === undefined ? [word] : [word, value], to);
    return 1;
  };
  const bad = (): number => {
    ledger.lost(
      value === undefined ? [word] : [word, value],
      'its value is not understood',
      'write it by hand',
    );
    return 1;
  };
  switch (word.text) {
    case 'v6only':
      fields.set('ipv6_only', true);
      ledger.carried([word], 'ipv6_only');
      return 0;
    case 'v4v6':
      ledger.notNeeded([word], '[::] takes IPv4 too');
      return 0;
    case 'backlog': {
      const number = wholeNumber(text);
      if (number === null) return bad();
      fields.set('backlog', number);
      return carry('backlog');
    }
    case 'maxconn': {
      const number = wholeNumber(text);
      if (number === null || number === 0) return bad();
      fields.set('max_connections', number);
      return carry('max_connections');
    }
    case 'mode':
      fields.set('unix_mode', text);
      return carry('unix_mode');
    case 'tcp-ut': {
      const ms = haproxyMs(text);
      if (ms === null) return bad();
      setIn(fields, 'tcp', 'user_timeout', durationOrOff(ms));
      return carry('tcp.user_timeout');
    }
  }
  const parameter = Object.hasOwn(parameters, word.text) ? parameters[word.text] : undefined;
  if (parameter === undefined) {
    ledger.lost([word], `sluice import does not know this parameter of bind`, 'write it by hand');
    return 0;
  }
  const named: readonly [Word, ...Word[]] =
    parameter.takes > 0 && value !== undefined ? [word, value] : [word];
  if (parameter.fate === 'lost') ledger.lost(named, parameter.why ?? '', parameter.instead ?? '');
  else ledger.notNeeded(named, parameter.why ?? '');
  return parameter.takes;
}

/** The one port of all binds, for servers that name none; null where there are several. */
export function onePort(binds: readonly DraftBind[]): number | null {
  const ports = new Set(binds.map(({ text }) => text.slice(text.lastIndexOf(':') + 1)));
  const [port] = ports;
  return ports.size === 1 && port !== undefined ? wholeNumber(port) : null;
}

/** Both 0.0.0.0:p and [::]:p can be bound only when the latter leaves IPv4 alone. */
export function claimsBothFamilies(binds: readonly DraftBind[]): boolean {
  const texts = new Set(binds.map(({ text }) => text));
  return [...texts].some(
    (text) => text.startsWith('0.0.0.0:') && texts.has(`[::]:${text.slice(8)}`),
  );
}
