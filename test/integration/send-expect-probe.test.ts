// The send_expect probe against scripted peers: steps, half answers, bounds, TLS.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createSendExpectProbe } from '../../src/health/send-expect-probe.js';
import { createTrust } from '../../src/health/tls-socket.js';
import type { DialogStep } from '../../src/model/health-check.js';
import { loopback, peerThat, requestOf } from '../support/probe-request.js';

const probe = createSendExpectProbe({ clock: systemClock(), trust: createTrust() });

function ask(port: number, steps: readonly DialogStep[], timeoutMs = 5000) {
  const settings = { kind: 'send_expect', sendExpect: { steps }, tls: null } as const;
  return probe(requestOf(settings, { endpoint: loopback(port), timeoutMs }));
}

const bytes = (text: string) => new TextEncoder().encode(text);
const send = (text: string): DialogStep => ({ kind: 'send', bytes: bytes(text) });
const expects = (text: string): DialogStep => ({ kind: 'bytes', bytes: bytes(text) });
const matches = (regex: string): DialogStep => ({ kind: 'regex', regex });

describe('the send_expect probe', () => {
  it('plays a dialog of several steps, with a target that speaks first', async () => {
    const peer = await peerThat(
      { write: '220 mail' },
      { write: ' ESMTP\r\n' },
      { read: 6 },
      { write: '250-mail\r\n250 SIZE\r\n' },
      { read: 6 },
      { write: Buffer.of(0x00, 0xff, 0x00) },
      { readToEnd: true },
    );
    const steps = [
      matches('^220 .*ESMTP\\r\\n'),
      send('EHLO\r\n'),
      expects('250-mail'),
      matches('^\\r\\n250 (SIZE|HELP)'),
      send('QUIT\r\n'),
      { kind: 'bytes', bytes: Uint8Array.of(0xff, 0x00) },
    ] as const;
    expect(await ask(peer.port, steps)).toMatchObject({ ok: true, reason: 'answered' });
    const result = await peer.results[0];
    expect(result?.received.toString()).toBe('EHLO\r\nQUIT\r\n');
    expect(result?.ended).toBe('reset');
  });

  it('takes each byte once: a step does not see what an earlier one has taken', async () => {
    const peer = await peerThat({ write: 'one' }, { until: new Promise(() => undefined) });
    const steps = [expects('one'), expects('one')];
    expect(await ask(peer.port, steps, 100)).toMatchObject({ ok: false, reason: 'timed_out' });
  });

  it('says which step met what, when the target ends', async () => {
    const peer = await peerThat({ write: 'go away\r\n' }, { end: true });
    expect(await ask(peer.port, [send('x'), expects('welcome')])).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'step 2: go away' },
    });
    const silent = await peerThat({ end: true });
    expect(await ask(silent.port, [expects('welcome')])).toMatchObject({
      facts: { detail: 'step 1: nothing came' },
    });
  });

  it('ends at its bounds: bytes for texts, bytes and pieces for patterns', async () => {
    const endless = await peerThat({ write: 'x'.repeat(200_000) }, { readToEnd: true });
    expect(await ask(endless.port, [expects('yes')])).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'more than 65536 bytes' },
    });
    expect(await ask(endless.port, [matches('(x+x+)+y')])).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'step 1: no match in 16384 bytes' },
    });
  });

  it('is good when all is sent and nothing was to come', async () => {
    const peer = await peerThat({ readToEnd: true });
    expect(await ask(peer.port, [send('x')])).toMatchObject({ ok: true });
  });
});
