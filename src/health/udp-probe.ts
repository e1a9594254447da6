// The udp probe: one datagram, and an answer that holds what was expected; or, where a service
// never answers, no word from the kernel that nobody listens.
import type { Clock } from '../clock.js';
import type { UdpSettings } from '../model/health-check.js';
import { answerText } from './answer-text.js';
import { exchangeDatagrams } from './datagram-exchange.js';
import { createFinder } from './expectation.js';
import type { Probe } from './probe.js';
import { badAnswer, type Ending } from './probe-socket.js';

export function createUdpProbe({ clock }: { readonly clock: Clock }): Probe<'udp'> {
  return async ({ endpoint, timeoutMs, check: { udp } }) => {
    // The configuration check refuses the combination.
    if (endpoint.kind === 'unix') return { ok: false, latencyMs: 0, reason: 'local' };
    const silence: Ending =
      udp.silence === 'good' ? { ok: true, reason: 'silent' } : { ok: false, reason: 'timed_out' };
    const request = { clock, endpoint, timeoutMs, payload: udp.send, silence };
    return exchangeDatagrams(request, (answer) => judge(answer, udp));
  };
}

/** The first answer decides. */
function judge(answer: Buffer, { expect }: UdpSettings): Ending {
  const found = expect === null || createFinder(expect)(answer) !== null;
  return found ? { ok: true, reason: 'answered' } : badAnswer(answerText(answer));
}
