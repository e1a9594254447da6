// The memcached probe against scripted peers and the real memcached.
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createMemcachedProbe } from '../../src/health/memcached-probe.js';
import { loopback, peerThat, requestOf } from '../support/probe-request.js';
import { freePort, startProgram, untilListening } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import type { Step } from '../support/scripted-peer.js';

const probe = createMemcachedProbe({ clock: systemClock() });
const ask = (port: number, timeoutMs = 5000) =>
  probe(requestOf({ kind: 'memcached' }, { endpoint: loopback(port), timeoutMs }));

const question: Step = { read: 'version\r\n'.length };

describe('the memcached probe', () => {
  it('takes a version, in pieces too, and resets the connection', async () => {
    const peer = await peerThat(
      question,
      { write: 'VERS' },
      { write: 'ION 1.6\r\n' },
      { readToEnd: true },
    );
    expect(await ask(peer.port)).toMatchObject({
      ok: true,
      reason: 'answered',
      facts: { detail: 'VERSION 1.6' },
    });
    const result = await peer.results[0];
    expect(result?.received.toString()).toBe('version\r\n');
    expect(result?.ended).toBe('reset');
  });

  it('quotes an answer that is none', async () => {
    const peer = await peerThat(question, { write: 'ERROR \u001b[31m\r\n' });
    expect(await ask(peer.port)).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'ERROR [31m' },
    });
  });

  it('calls half an answer closed, a reset reset and silence timed out', async () => {
    const half = await peerThat(question, { write: 'VERSION 1' }, { end: true });
    expect(await ask(half.port)).toMatchObject({ ok: false, reason: 'closed' });
    const reset = await peerThat(question, { reset: true });
    expect(await ask(reset.port)).toMatchObject({ ok: false, reason: 'reset' });
    const silent = await peerThat(question, { readToEnd: true });
    const result = await ask(silent.port, 100);
    expect(result).toMatchObject({ ok: false, reason: 'timed_out' });
    expect(result.latencyMs).toBeGreaterThanOrEqual(99);
    expect(await ask(await freePort())).toMatchObject({ ok: false, reason: 'refused' });
  });

  it('stops reading at its bound', async () => {
    const peer = await peerThat(question, { write: Buffer.alloc(1 << 20, 'x') });
    expect(await ask(peer.port)).toMatchObject({ ok: false, reason: 'bad_answer' });
  });

  describe.runIf(requireTools('memcached'))('with the real memcached', () => {
    it('is good while it runs, and refused when it is gone', async () => {
      const port = await freePort();
      const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
      const args = ['-l', '127.0.0.1', '-p', String(port), '-U', '0', ...user];
      const program = startProgram('memcached', args);
      await untilListening(port, program);
      const result = await ask(port);
      expect(result).toMatchObject({ ok: true, reason: 'answered' });
      expect(result.facts?.detail).toMatch(/^VERSION \d/);
      const gone = new Promise((resolve) => program.once('close', resolve));
      program.kill('SIGKILL');
      await gone;
      expect(await ask(port)).toMatchObject({ ok: false, reason: 'refused' });
    });
  });
});
