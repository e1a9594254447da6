// The send_expect probe: a dialog of steps, each of which sends bytes or waits for some.
import type { DialogStep, Expectation } from '../model/health-check.js';
import { answerText } from './answer-text.js';
import { type Conversation, conversationOver } from './conversation.js';
import { createFinder, patternBytesMax } from './expectation.js';
import type { Probe } from './probe.js';
import { badAnswer, type Ending } from './probe-socket.js';
import { probeSecurely, type SecureTools } from './secure-probe.js';

/** A pattern is tried on each piece of an answer anew, with all before it. */
const patternTriesMax = 64;

export function createSendExpectProbe(tools: SecureTools): Probe<'send_expect'> {
  return (request) => {
    const { sendExpect, tls } = request.check;
    return probeSecurely(tools, request, tls, (stream, end) => {
      void playSteps(conversationOver(stream, end), sendExpect.steps).then(end);
    });
  };
}

/** What came after the bytes that one step expected belongs to the next one. */
export async function playSteps(peer: Conversation, steps: readonly DialogStep[]): Promise<Ending> {
  for (const [index, step] of steps.entries()) {
    if (step.kind === 'send') {
      peer.send(step.bytes);
      continue;
    }
    const outcome = await meet(peer, step);
    if (typeof outcome === 'string') return badAnswer(`step ${index + 1}: ${outcome}`);
    peer.take(outcome);
  }
  return { ok: true, reason: 'answered' };
}

/** The bytes up to the end of what was expected, or what came instead of it. */
function meet(peer: Conversation, expectation: Expectation): Promise<number | string> {
  const find = createFinder(expectation);
  let tries = 0;
  return peer.read((received, ended) => {
    const end = find(received);
    if (end !== null) return end;
    if (ended) return answerText(received) || 'nothing came';
    if (expectation.kind === 'bytes') return null;
    if (received.length >= patternBytesMax) return `no match in ${patternBytesMax} bytes`;
    return ++tries < patternTriesMax ? null : `no match in ${patternTriesMax} pieces`;
  });
}
