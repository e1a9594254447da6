// The ping probe over a fake ping: what each outcome says of the target.
import { expect, it } from 'vitest';
import { createPingProbe } from '../../../src/health/ping-probe.js';
import type { Ping } from '../../../src/health/probe.js';
import type { Endpoint } from '../../../src/model/address.js';
import { requestOf } from '../../support/probe-request.js';
import { at, ip } from '../../support/sample-config.js';

const ask = (endpoint: Endpoint, timeoutMs = 100) =>
  requestOf({ kind: 'ping' }, { endpoint, timeoutMs });

type Outcome = Awaited<ReturnType<Ping>>['outcome'];

it('pings the address, whatever the port, and passes the timeout on', async () => {
  const asked: unknown[] = [];
  const probe = createPingProbe({
    ping: async (address, timeoutMs) => {
      asked.push(address, timeoutMs);
      return { outcome: 'answered', latencyMs: 3 };
    },
  });
  expect(await probe(ask(at('192.0.2.1', 8080), 250))).toEqual({
    ok: true,
    latencyMs: 3,
    reason: 'answered',
  });
  expect(asked).toEqual([ip('192.0.2.1'), 250]);
});

it('is good only when there was an answer, and blames the target only for silence', async () => {
  const reasons: Record<Exclude<Outcome, 'answered'>, string> = {
    unreachable: 'unreachable',
    timed_out: 'timed_out',
    failed: 'failed',
    not_permitted: 'local',
  };
  for (const outcome of Object.keys(reasons) as (keyof typeof reasons)[]) {
    const probe = createPingProbe({ ping: async () => ({ outcome, latencyMs: 0 }) });
    expect(await probe(ask(at('192.0.2.1')))).toMatchObject({
      ok: false,
      reason: reasons[outcome],
    });
  }
});

it('calls it our own fault when nothing could be sent at all, and does not throw', async () => {
  const closed = createPingProbe({ ping: () => Promise.reject(new Error('the engine is closed')) });
  expect(await closed(ask(at('192.0.2.1')))).toMatchObject({ ok: false, reason: 'local' });
  const unused = createPingProbe({ ping: () => Promise.reject(new Error('not to be called')) });
  expect(await unused(ask({ kind: 'unix', path: '/run/x.sock' }))).toMatchObject({
    reason: 'local',
  });
});
