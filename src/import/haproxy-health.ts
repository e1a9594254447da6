// Health checks of HAProxy: which kind a pool is asked by, with the settings of that kind.
import type { Word } from './directive.js';
import { argument } from './directive.js';
import type { Fields } from './draft.js';
import { haproxyDialog } from './haproxy-dialog.js';
import type { Setting } from './haproxy-sections.js';
import type { Ledger } from './ledger.js';

/** Options of which the last one decides. */
const kinds = [
  'option tcp-check',
  'option httpchk',
  'option pgsql-check',
  'option mysql-check',
  'option redis-check',
  'option smtpchk',
  'option ldap-check',
  'option ssl-hello-chk',
] as const;

export function isCheckOption(key: string): boolean {
  return kinds.some((kind) => kind === key);
}

/** type, and a section of the type where it needs one. */
export function healthKind(settings: readonly Setting[], tls: boolean, ledger: Ledger): Fields {
  const fields: Fields = new Map();
  const chosen = settings.findLast(({ key, off }) => isCheckOption(key) && !off);
  for (const setting of settings.filter(({ key }) => isCheckOption(key))) {
    if (setting === chosen) ledger.carried(setting.directive.words, 'pools.*.health.type');
    else ledger.notNeeded(setting.directive.words, 'another check is asked for, or none');
  }
  const rules = settings.filter(({ key }) => /^(tcp|http)-check /.test(key));
  const belongs = chosen?.key === 'option httpchk' ? 'http-check' : 'tcp-check';
  const used = rules.filter(({ key }) => key.startsWith(belongs) && chosen !== undefined);
  for (const { directive } of rules.filter((rule) => !used.includes(rule))) {
    ledger.notNeeded(directive.words, 'the section has no check of this kind');
  }
  fields.set('type', tls ? 'tls' : 'tcp');
  if (chosen === undefined) return fields;
  if (chosen.key === 'option httpchk') return httpHealth(chosen, used, tls, ledger);
  if (chosen.key === 'option tcp-check') return dialogHealth(used, tls, ledger);
  return simpleHealth(chosen, ledger);
}

function simpleHealth(chosen: Setting, ledger: Ledger): Fields {
  const { directive, key, values } = chosen;
  const fields: Fields = new Map();
  const steps = (list: readonly (readonly [string, string])[]): Fields => {
    fields.set('type', 'send_expect');
    const maps = list.map(([name, text]) => new Map([[name, text]]));
    return fields.set('send_expect', new Map([['steps', maps]]));
  };
  switch (key) {
    case 'option redis-check':
      return fields.set('type', 'redis');
    case 'option pgsql-check':
      ledger.notNeeded(directive.words, 'the user: a check without a login asks as user sluice');
      return fields.set('type', 'postgresql');
    case 'option mysql-check': {
      fields.set('type', 'mysql');
      const user = values[0]?.text === 'user' ? values[1]?.text : undefined;
      if (user !== undefined) fields.set('login', new Map([['user', user]]));
      return fields;
    }
    case 'option ssl-hello-chk':
      return fields.set('type', 'tls').set('tls', new Map([['verify', false]]));
    case 'option smtpchk': {
      const hello = argument(directive, 1) === 'EHLO' ? 'EHLO' : 'HELO';
      const domain = argument(directive, 2) || 'localhost';
      const greeting = [
        ['expect', '220'],
        ['send', `${hello} ${domain}\r\n`],
      ] as const;
      return steps([...greeting, ['expect', '250'], ['send', 'QUIT\r\n']]);
    }
    default:
      // LDAP: an anonymous bind request, and a result code of 0 in the answer.
      return steps([
        ['send_hex', '30 0c 02 01 01 60 07 02 01 03 04 00 80 00'],
        ['expect_hex', '0a 01 00'],
      ]);
  }
}

function dialogHealth(rules: readonly Setting[], tls: boolean, ledger: Ledger): Fields {
  const { steps, port, tls: asked } = haproxyDialog(rules, ledger);
  const speaksTls = tls || asked;
  const fields: Fields = new Map<string, unknown>([['type', speaksTls ? 'tls' : 'tcp']]);
  if (steps.length > 0) {
    fields.set('type', 'send_expect');
    fields.set('send_expect', new Map([['steps', steps]]));
  }
  if (speaksTls) fields.set('tls', new Map([['verify', false]]));
  if (port !== null) fields.set('port', port);
  return fields;
}

const methods = new Set(['GET', 'HEAD', 'OPTIONS', 'POST']);

/** `option httpchk [METHOD] URI [VERSION]`, and the newer `http-check send` and `expect`. */
function httpHealth(
  chosen: Setting,
  rules: readonly Setting[],
  tls: boolean,
  ledger: Ledger,
): Fields {
  const http: Fields = new Map([['method', 'OPTIONS']]);
  const [first, second, ...more] = chosen.values;
  if (second === undefined && first !== undefined) http.set('path', first.text);
  if (second !== undefined && first !== undefined) {
    setMethod(http, first, ledger);
    http.set('path', second.text);
  }
  // Old files smuggle headers in behind the version: "HTTP/1.1\r\nHost: x".
  const host = /\r\nhost:\s*([^\r\n]+)/i.exec(more.map(({ text }) => text).join(' '))?.[1];
  if (host !== undefined) http.set('host', host.trim());
  for (const rule of rules) readHttpRule(rule, http, ledger);
  const fields: Fields = new Map<string, unknown>([['type', tls ? 'https' : 'http']]);
  fields.set('http', http);
  if (tls) fields.set('tls', new Map([['verify', false]]));
  return fields;
}

function setMethod(http: Fields, word: Word, ledger: Ledger): void {
  if (methods.has(word.text)) http.set('method', word.text);
  else {
    http.set('method', 'GET');
    ledger.lost([word], 'probes ask by GET, HEAD, OPTIONS or POST', 'GET is used');
  }
}

function readHttpRule({ key, directive, values }: Setting, http: Fields, ledger: Ledger): void {
  const words = directive.words;
  if (key === 'http-check send') {
    ledger.carried(words, 'pools.*.health.http');
    readSend(values, http, ledger);
    return;
  }
  if (key === 'http-check expect') {
    const [kind = '', pattern = ''] = values.map(({ text }) => text);
    const target = { status: 'status', rstatus: 'status', string: 'body', rstring: 'body_regex' }[
      kind
    ];
    if (target !== undefined && values.length === 2) {
      const value =
        kind === 'status' ? statuses(pattern) : kind === 'rstatus' ? classes(pattern) : pattern;
      if (value !== null) {
        http.set(target, value);
        ledger.carried(words, `pools.*.health.http.${target}`);
        return;
      }
    }
    ledger.lost(
      words,
      'this cannot be expected of an answer',
      'health.http: status, body, body_regex',
    );
  }
}

function readSend(values: readonly Word[], http: Fields, ledger: Ledger): void {
  for (let index = 0; index < values.length; index++) {
    const word = values[index];
    const value = values[index + 1];
    if (word === undefined || value === undefined) continue;
    if (word.text === 'meth') setMethod(http, value, ledger);
    else if (word.text === 'uri') http.set('path', value.text);
    else if (word.text === 'hdr' && value.text.toLowerCase() === 'host') {
      http.set('host', values[index + 2]?.text ?? '');
      index++;
    } else if (word.text !== 'ver') {
      ledger.lost([word, value], 'probes send no other headers and no body', 'use type exec');
      if (word.text === 'hdr') index++;
    }
    index++;
  }
}

/** `200`, `200,204`, `200-399`. */
function statuses(text: string): unknown {
  const parts = text.split(',').map((part) => (/^\d{3}$/.test(part) ? Number(part) : part));
  return parts.length === 1 ? parts[0] : parts;
}

/** `^2` or `^[23]` or `(2|3)[0-9][0-9]`: whole classes only. */
function classes(pattern: string): unknown {
  const [, digits] =
    /^\^?[([]?([1-5](?:\|?[1-5])*)[)\]]?(?:\[0-9\]|\\d|\.){0,2}\$?$/.exec(pattern) ?? [];
  const ranges = [...(digits?.replaceAll('|', '') ?? '')].map((digit) => `${digit}00-${digit}99`);
  return ranges.length === 0 ? null : ranges;
}
