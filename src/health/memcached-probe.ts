// The memcached probe: asks for the version, which needs no key and changes nothing.
import type { Clock } from '../clock.js';
import { answerText } from './answer-text.js';
import { converse, readLine } from './conversation.js';
import type { Probe } from './probe.js';
import { badAnswer } from './probe-socket.js';

export function createMemcachedProbe({ clock }: { readonly clock: Clock }): Probe<'memcached'> {
  return ({ endpoint, timeoutMs }) =>
    converse({ clock, endpoint, timeoutMs }, async (peer) => {
      peer.send('version\r\n');
      const line = await readLine(peer);
      if (!/^VERSION \S/.test(line)) return badAnswer(answerText(line));
      return { ok: true, reason: 'answered', facts: { detail: answerText(line) } };
    });
}
