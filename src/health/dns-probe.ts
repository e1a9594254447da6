// The dns probe: one question by UDP; response code and number of records decide.
import type { Clock } from '../clock.js';
import type { DnsSettings } from '../model/health-check.js';
import { exchangeDatagrams } from './datagram-exchange.js';
import { encodeQuery, readAnswer } from './dns-message.js';
import type { Probe } from './probe.js';
import { badAnswer, type Ending } from './probe-socket.js';

export interface DnsProbeTools {
  readonly clock: Clock;
  /** In [0, 1): the number of a query, so that no stranger's datagram is taken for its answer. */
  readonly random: () => number;
}

export function createDnsProbe({ clock, random }: DnsProbeTools): Probe<'dns'> {
  return async ({ endpoint, timeoutMs, check: { dns } }) => {
    // The configuration check refuses the combination.
    if (endpoint.kind === 'unix') return { ok: false, latencyMs: 0, reason: 'local' };
    const payload = encodeQuery(Math.floor(random() * 0x10000), dns);
    const silence: Ending = { ok: false, reason: 'timed_out' };
    return exchangeDatagrams({ clock, endpoint, timeoutMs, payload, silence }, (message) =>
      judgeDns(message, payload, dns),
    );
  };
}

export function judgeDns(message: Buffer, query: Buffer, wanted: DnsSettings): Ending | null {
  const answer = readAnswer(message, query);
  if (answer.kind === 'unrelated') return null;
  if (answer.kind === 'malformed') return badAnswer('not a DNS answer');
  const { code, answers } = answer;
  const detail = `${code}, ${answers} answers`;
  const good = wanted.codes.some((one) => one === code) && answers >= wanted.answers;
  return good ? { ok: true, reason: 'answered', facts: { detail } } : badAnswer(detail);
}
