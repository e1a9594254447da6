// `listen` of nginx: its address, and what becomes of each parameter.
import { formatDuration } from '../config/units.js';
import type { Directive, Word } from './directive.js';
import { type DraftBind, type Fields, setIn } from './draft.js';
import type { Ledger } from './ledger.js';
import { nginxMs } from './nginx-units.js';

export interface NginxListen {
  readonly binds: DraftBind[];
  readonly fields: Fields;
}

/** nginx's `*` is every IPv4 address, unlike sluice's. */
export function listenAddress(text: string): string {
  if (text.startsWith('unix:')) return text;
  if (/^\d+(-\d+)?$/.test(text)) return `0.0.0.0:${text}`;
  return text.startsWith('*:') ? `0.0.0.0:${text.slice(2)}` : text;
}

/** Adds to the one of `tcp` and `udp` that is meant. */
export function readListen(
  directive: Directive,
  tcp: NginxListen,
  udp: NginxListen,
  ledger: Ledger,
): void {
  const [, address, ...parameters] = directive.words;
  const isUdp = parameters.some(({ text }) => text === 'udp' || text === 'quic');
  const { binds, fields } = isUdp ? udp : tcp;
  const text = listenAddress(address?.text ?? '');
  binds.push({ text, place: directive.words[0] });
  ledger.carried(directive.words, 'listeners.*.bind');
  const only = parameters.find((word) => word.text.startsWith('ipv6only='));
  // It is on by default there.
  if (text.startsWith('[::]:') && only?.text !== 'ipv6only=off') fields.set('ipv6_only', true);
  if (isUdp) fields.set('protocol', 'udp');
  for (const word of parameters) readParameter(word, isUdp, fields, ledger);
}

interface Fate {
  readonly lost: boolean;
  readonly why: string;
  readonly instead: string;
}

const lost = (why: string, instead: string): Fate => ({ lost: true, why, instead });
const dull = (why: string): Fate => ({ lost: false, why, instead: '' });

const fates: Readonly<Record<string, Fate>> = {
  udp: dull('said by protocol'),
  bind: dull('every address has a socket of its own'),
  reuseport: dull('every worker has a socket of its own'),
  deferred: dull('sluice accepts at once; a silent client waits for no one'),
  multipath: lost('sluice has no multipath TCP', 'nothing: clients connect without it'),
  default_server: lost('a listener serves every name', 'a listener of its own for each'),
  ssl: lost('sluice does not end TLS: it passes it on to the targets', 'let the targets speak TLS'),
  quic: lost('sluice does not end QUIC: datagrams go to the targets', 'let the targets speak QUIC'),
  proxy_protocol: lost(
    'sluice does not read PROXY headers: they reach the targets as they are',
    'let the targets read them, or leave the sender out',
  ),
  fastopen: lost('sluice has no TCP fast open', 'nothing: clients connect without it'),
  rcvbuf: lost('sizes of sockets are up to the kernel', 'net.ipv4.tcp_rmem'),
  sndbuf: lost('sizes of sockets are up to the kernel', 'net.ipv4.tcp_wmem'),
  setfib: lost('is for FreeBSD', 'nothing: Linux has no such thing'),
  accept_filter: lost('is for FreeBSD', 'nothing: Linux has no such thing'),
};

function readParameter(word: Word, isUdp: boolean, fields: Fields, ledger: Ledger): void {
  const [name = '', value = ''] = word.text.split(/=(.*)/s);
  if (name === 'ipv6only') {
    ledger.carried([word], 'listeners.*.ipv6_only');
    return;
  }
  if (name === 'backlog' && /^\d{1,6}$/.test(value) && !isUdp) {
    fields.set('backlog', Number(value));
    ledger.carried([word], 'listeners.*.backlog');
    return;
  }
  if (name === 'so_keepalive' && !isUdp) {
    readKeepalive(word, value, fields, ledger);
    return;
  }
  const fate = Object.hasOwn(fates, name) ? fates[name] : undefined;
  if (fate === undefined) {
    ledger.lost([word], 'sluice import does not know this parameter of listen', 'write it by hand');
  } else if (fate.lost) ledger.lost([word], fate.why, fate.instead);
  else ledger.notNeeded([word], fate.why);
}

/** `on`, `off`, or `idle:interval:count`, each of which may be empty. */
function readKeepalive(word: Word, value: string, fields: Fields, ledger: Ledger): void {
  if (value === 'on') {
    ledger.notNeeded([word], 'keep-alive is on by default');
    return;
  }
  const keepalive: Fields = new Map();
  const [idle = '', interval = '', count = ''] = value.split(':');
  const seconds = (text: string): string | null => {
    const ms = nginxMs(text);
    return ms === null ? null : formatDuration(Math.ceil(ms / 1000) * 1000);
  };
  for (const [key, text] of [
    ['idle', idle],
    ['interval', interval],
  ] as const) {
    const time = text === '' || value === 'off' ? null : seconds(text);
    if (time !== null) keepalive.set(key, time);
  }
  if (/^\d{1,3}$/.test(count)) keepalive.set('count', Number(count));
  if (value !== 'off' && keepalive.size === 0) {
    ledger.lost([word], 'its value is not understood', 'tcp.keepalive');
    return;
  }
  setIn(fields, 'tcp', 'keepalive', value === 'off' ? 'off' : keepalive);
  ledger.carried([word], 'listeners.*.tcp.keepalive');
}
