// The udp and dns probes against sockets of the test and the real dnsmasq.
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createDnsProbe } from '../../src/health/dns-probe.js';
import { createUdpProbe } from '../../src/health/udp-probe.js';
import type { DnsSettings, UdpSettings } from '../../src/model/health-check.js';
import { loopback, requestOf } from '../support/probe-request.js';
import { freePort, freeUdpPort, startProgram, untilListening } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';

const clock = systemClock();
const udpProbe = createUdpProbe({ clock });
const dnsProbe = createDnsProbe({ clock, random: () => 0.5 });

function askUdp(port: number, changes: Partial<UdpSettings> = {}, timeoutMs = 5000) {
  const send = new TextEncoder().encode('ping');
  const udp: UdpSettings = { send, expect: null, silence: 'bad', ...changes };
  return udpProbe(requestOf({ kind: 'udp', udp }, { endpoint: loopback(port), timeoutMs }));
}

function askDns(port: number, changes: Partial<DnsSettings> = {}, timeoutMs = 5000) {
  const dns: DnsSettings = {
    name: 'up.test',
    recordType: 'A',
    codes: ['NOERROR'],
    answers: 0,
    ...changes,
  };
  return dnsProbe(requestOf({ kind: 'dns', dns }, { endpoint: loopback(port), timeoutMs }));
}

/** Answers each datagram with those that `reply` gives. */
async function udpPeer(reply: (asked: Buffer) => readonly (Buffer | string)[]) {
  const socket = createSocket('udp4');
  const asked: { readonly text: string; readonly from: RemoteInfo }[] = [];
  socket.on('message', (message, from) => {
    asked.push({ text: message.toString(), from });
    for (const answer of reply(message)) socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { port: socket.address().port, asked };
}

describe('the udp probe', () => {
  it('sends its payload once, and takes any answer when none is expected', async () => {
    const peer = await udpPeer(() => ['pong']);
    expect(await askUdp(peer.port)).toMatchObject({ ok: true, reason: 'answered' });
    expect(peer.asked.map(({ text }) => text)).toEqual(['ping']);
  });

  it('wants what is expected in the first answer', async () => {
    const peer = await udpPeer(() => ['sorry\n', 'pong']);
    const pong = { kind: 'bytes', bytes: new TextEncoder().encode('pong') } as const;
    expect(await askUdp(peer.port, { expect: pong })).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'sorry' },
    });
    const sorry = { kind: 'regex', regex: '^s.rr' } as const;
    expect(await askUdp(peer.port, { expect: sorry })).toMatchObject({ ok: true });
  });

  it('says refused where nobody listens, whatever silence means', async () => {
    const port = await freeUdpPort();
    expect(await askUdp(port)).toMatchObject({ ok: false, reason: 'refused' });
    expect(await askUdp(port, { silence: 'good' }, 300)).toMatchObject({
      ok: false,
      reason: 'refused',
    });
  });

  it('takes silence for what it is told, at the timeout', async () => {
    const peer = await udpPeer(() => []);
    expect(await askUdp(peer.port, {}, 80)).toMatchObject({ ok: false, reason: 'timed_out' });
    const quiet = await askUdp(peer.port, { silence: 'good' }, 80);
    expect(quiet).toMatchObject({ ok: true, reason: 'silent' });
    expect(quiet.latencyMs).toBeGreaterThanOrEqual(79);
  });

  it('hears nobody but the target', async () => {
    const stranger = createSocket('udp4');
    onTestFinished(() => void stranger.close());
    const peer = await udpPeer(() => {
      const to = peer.asked.at(-1)?.from;
      if (to) stranger.send('pong', to.port, to.address);
      return [];
    });
    expect(await askUdp(peer.port, {}, 100)).toMatchObject({ ok: false, reason: 'timed_out' });
  });
});

describe('the dns probe', () => {
  it('ignores answers to other questions, up to a bound', async () => {
    const other = (asked: Buffer) => {
      const answer = Buffer.from(asked);
      answer.writeUInt16BE(0x8180, 2);
      answer.writeUInt16BE(asked.readUInt16BE(0) ^ 1, 0);
      return answer;
    };
    const right = (asked: Buffer) => {
      const answer = Buffer.from(asked);
      answer.writeUInt16BE(0x8180, 2);
      return answer;
    };
    const peer = await udpPeer((asked) => [other(asked), Buffer.from('x'), right(asked)]);
    expect(await askDns(peer.port)).toMatchObject({ ok: true, reason: 'answered' });
    const flood = await udpPeer((asked) => Array.from({ length: 64 }, () => other(asked)));
    expect(await askDns(flood.port)).toMatchObject({ ok: false, reason: 'bad_answer' });
  });

  it('says bad_answer to half a message, and timed_out to none', async () => {
    const half = await udpPeer((asked) => {
      const answer = Buffer.from(asked);
      answer.writeUInt16BE(0x8180, 2);
      answer.writeUInt16BE(3, 6);
      return [answer];
    });
    expect(await askDns(half.port)).toMatchObject({ ok: false, reason: 'bad_answer' });
    const silent = await udpPeer(() => []);
    expect(await askDns(silent.port, {}, 80)).toMatchObject({ ok: false, reason: 'timed_out' });
  });

  describe.runIf(requireTools('dnsmasq'))('with the real dnsmasq', () => {
    it('wants the code and the number of records that are good', async () => {
      const port = await freePort();
      const program = startProgram('dnsmasq', [
        ...['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts'],
        ...[`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--user='],
        ...['--pid-file=', '--local=/test/', '--host-record=up.test,192.0.2.7'],
      ]);
      await untilListening(port, program);
      expect(await askDns(port, { answers: 1 })).toMatchObject({
        ok: true,
        facts: { detail: 'NOERROR, 1 answers' },
      });
      expect(await askDns(port, { recordType: 'AAAA', answers: 1 })).toMatchObject({
        ok: false,
        facts: { detail: 'NOERROR, 0 answers' },
      });
      const missing = { name: 'down.test.' };
      expect(await askDns(port, missing)).toMatchObject({
        ok: false,
        facts: { detail: 'NXDOMAIN, 0 answers' },
      });
      expect(await askDns(port, { ...missing, codes: ['NXDOMAIN'] })).toMatchObject({ ok: true });
      // Not its own zone, and it has nobody to ask.
      expect(await askDns(port, { name: 'example.org' })).toMatchObject({
        ok: false,
        facts: { detail: 'REFUSED, 0 answers' },
      });
    });
  });
});
