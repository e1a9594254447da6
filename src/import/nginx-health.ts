// `health_check` and `match` of nginx Plus as the health check of a pool.
import { formatDuration } from '../config/units.js';
import { argument, type Directive, nameOf } from './directive.js';
import type { Fields } from './draft.js';
import type { Ledger } from './ledger.js';
import { nginxMs } from './nginx-units.js';

export function nginxHealth(
  check: Directive,
  timeout: Directive | undefined,
  matches: ReadonlyMap<string, Directive>,
  ledger: Ledger,
): Fields {
  // What it says unless it is told otherwise.
  const values = new Map([
    ['interval', '5s'],
    ['fails', '1'],
    ['passes', '1'],
  ]);
  let udp = false;
  for (const word of check.words.slice(1)) {
    const [name = '', value = ''] = word.text.split(/=(.*)/s);
    if (name === 'udp') udp = true;
    else if (['interval', 'fails', 'passes', 'port', 'match'].includes(name))
      values.set(name, value);
    else if (name === 'jitter') ledger.notNeeded([word], 'intervals vary by a tenth by default');
    else if (name === 'mandatory') values.set('initial', 'unhealthy');
    else ledger.lost([word], 'the check has no such setting', 'docs/configuration.md lists them');
  }
  ledger.carried(check.words, 'pools.*.health');
  const matched = matches.get(values.get('match') ?? '');
  const health: Fields = kindOf(matched, udp, ledger);
  const intervalMs = Math.max(nginxMs(values.get('interval') ?? '') ?? 5000, 100);
  health.set('interval', formatDuration(intervalMs));
  if (timeout !== undefined) {
    const ms = nginxMs(argument(timeout, 0));
    ledger.carried(timeout.words, 'pools.*.health.timeout');
    if (ms !== null && ms > 0) health.set('timeout', formatDuration(Math.min(ms, intervalMs)));
  }
  for (const [from, to] of [
    ['passes', 'rise'],
    ['fails', 'fall'],
    ['port', 'port'],
  ] as const) {
    const number = Number(values.get(from) ?? Number.NaN);
    if (Number.isInteger(number)) health.set(to, number);
  }
  const initial = values.get('initial');
  if (initial !== undefined) health.set('initial', initial);
  return health;
}

function kindOf(matched: Directive | undefined, udp: boolean, ledger: Ledger): Fields {
  const steps: ReadonlyMap<string, string>[] = [];
  for (const inner of matched?.block ?? []) {
    const step = stepOf(inner);
    if (step === null) {
      ledger.lost(inner.words, 'this cannot be sent or expected', 'health.send_expect.steps');
      continue;
    }
    ledger.carried(inner.words, 'pools.*.health');
    // Sending comes first, wherever it stands.
    if (nameOf(inner) === 'send') steps.unshift(step);
    else steps.push(step);
  }
  if (matched !== undefined) ledger.carried(matched.words, 'pools.*.health');
  if (udp) {
    const merged = new Map(steps.flatMap((step) => [...step]));
    const hasSend = merged.has('send') || merged.has('send_hex');
    if (!hasSend) merged.set('send', 'nginx health check');
    return new Map<string, unknown>([
      ['type', 'udp'],
      ['udp', new Map([...merged, ['silence', 'good']])],
    ]);
  }
  if (steps.length === 0) return new Map([['type', 'tcp']]);
  return new Map<string, unknown>([
    ['type', 'send_expect'],
    ['send_expect', new Map([['steps', steps]])],
  ]);
}

/** `send TEXT`, `expect TEXT`, `expect ~ PATTERN`; `\x0d` stands for a byte. */
function stepOf(inner: Directive): ReadonlyMap<string, string> | null {
  const [first = '', second = ''] = inner.words.slice(1).map(({ text }) => text);
  const isSend = nameOf(inner) === 'send';
  if (!isSend && nameOf(inner) !== 'expect') return null;
  if (!isSend && first === '~' && second !== '') return new Map([['expect_regex', second]]);
  if (!isSend && first === '~*' && second !== '')
    return new Map([['expect_regex', `(?i)${second}`]]);
  if (first === '') return null;
  const name = isSend ? 'send' : 'expect';
  if (!/\\x[0-9a-fA-F]{2}/.test(first)) return new Map([[name, first]]);
  const bytes = first.replaceAll(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return new Map([[`${name}_hex`, Buffer.from(bytes, 'latin1').toString('hex')]]);
}
