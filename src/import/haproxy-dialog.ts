// `tcp-check` rules of HAProxy as the steps of a send_expect probe.
import type { Setting } from './haproxy-sections.js';
import { wholeNumber } from './haproxy-units.js';
import type { Ledger } from './ledger.js';

export interface Dialog {
  readonly steps: readonly ReadonlyMap<string, string>[];
  /** null: that of the target. */
  readonly port: number | null;
  readonly tls: boolean;
}

export function haproxyDialog(rules: readonly Setting[], ledger: Ledger): Dialog {
  const steps: ReadonlyMap<string, string>[] = [];
  const state = { port: null as number | null, tls: false, connects: 0 };
  for (const rule of rules) {
    const words = rule.directive.words;
    if (rule.key === 'tcp-check connect') {
      state.connects++;
      if (steps.length > 0) state.connects++;
      if (state.connects === 1) readConnect(rule, state, ledger);
    }
    if (state.connects > 1) {
      ledger.lost(words, 'a probe has one connection', 'what stands before is kept');
      continue;
    }
    if (rule.key === 'tcp-check connect') continue;
    const step = stepOf(rule);
    if (step === null) {
      if (rule.key === 'tcp-check comment') ledger.notNeeded(words, 'a comment');
      else ledger.lost(words, 'a probe has no such step', 'health.send_expect.steps');
      continue;
    }
    steps.push(step);
    ledger.carried(words, 'pools.*.health.send_expect.steps');
  }
  return { steps, port: state.port, tls: state.tls };
}

function readConnect(
  rule: Setting,
  state: { port: number | null; tls: boolean },
  ledger: Ledger,
): void {
  ledger.carried(rule.directive.words, 'pools.*.health');
  for (let index = 0; index < rule.values.length; index++) {
    const word = rule.values[index];
    const value = rule.values[index + 1];
    if (word === undefined) break;
    if (word.text === 'port' && value !== undefined) {
      state.port = wholeNumber(value.text);
      if (state.port === null) ledger.lost([word, value], 'this is no port', 'health.port');
      index++;
    } else if (word.text === 'ssl') state.tls = true;
    else if (word.text === 'default' || word.text === 'linger' || word.text === 'comment') {
      if (word.text === 'comment') index++;
    } else {
      const takes =
        word.text === 'addr' ||
        word.text === 'sni' ||
        word.text === 'alpn' ||
        word.text === 'proto';
      ledger.lost(
        takes && value !== undefined ? [word, value] : [word],
        'the connection of a probe is a plain one to the target',
        'health.tls has server_name and alpn',
      );
      if (takes) index++;
    }
  }
}

/** Keys of sluice by those of HAProxy. */
const sends: Readonly<Record<string, string>> = {
  'tcp-check send': 'send',
  'tcp-check send-binary': 'send_hex',
};
const expectations: Readonly<Record<string, string>> = {
  string: 'expect',
  rstring: 'expect_regex',
  binary: 'expect_hex',
};

function stepOf({ key, values }: Setting): ReadonlyMap<string, string> | null {
  const [first = '', second = ''] = values.map(({ text }) => text);
  const send = sends[key];
  if (send !== undefined && first !== '') {
    // A log format inside would need a connection to fill it in.
    if (/%\[/.test(first)) return null;
    return new Map([[send, first]]);
  }
  const expect = key === 'tcp-check expect' ? expectations[first] : undefined;
  if (expect === undefined || second === '' || values.length > 2) return null;
  return new Map([[expect, second]]);
}
