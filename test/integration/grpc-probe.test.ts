// The grpc probe against HTTP/2 servers of Node and scripted peers.
import { once } from 'node:events';
import { createSecureServer, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createGrpcProbe } from '../../src/health/grpc-probe.js';
import { createTrust } from '../../src/health/tls-socket.js';
import type { TlsSettings } from '../../src/model/health-check.js';
import { makeCertificate } from '../support/certificate.js';
import { loopback, peerThat, requestOf } from '../support/probe-request.js';
import { requireTools } from '../support/require-tool.js';
import { watchTimeWait } from '../support/time-wait.js';

const probe = createGrpcProbe({ clock: systemClock(), trust: createTrust() });

function ask(
  port: number,
  { service = '', tls = null as TlsSettings | null, timeoutMs = 5000 } = {},
) {
  const where = { endpoint: loopback(port), host: '127.0.0.1', timeoutMs };
  return probe(requestOf({ kind: 'grpc', grpc: { service }, tls }, where));
}

interface Call {
  readonly path: unknown;
  readonly type: unknown;
  readonly body: string;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Records each call, then answers with `message` and status 0. */
function serving(calls: Call[], message: Buffer) {
  return (stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>) => {
    const pieces: Buffer[] = [];
    stream.on('error', () => undefined);
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => {
      const body = Buffer.concat(pieces).toString('hex');
      calls.push({ path: headers[':path'], type: headers['content-type'], body });
      stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(message);
    });
  };
}

const isServing = Buffer.from('00000000020801', 'hex');

describe('the grpc probe', () => {
  it('asks grpc.health.v1 for the service and is good when that serves', async () => {
    const calls: Call[] = [];
    const port = await listen(createServer().on('stream', serving(calls, isServing)));
    const left = watchTimeWait(port);
    expect(await ask(port, { service: 'a.B' })).toMatchObject({
      ok: true,
      reason: 'answered',
      facts: { detail: 'SERVING' },
    });
    expect(calls).toEqual([
      {
        path: '/grpc.health.v1.Health/Check',
        type: 'application/grpc',
        body: '00000000050a03612e42',
      },
    ]);
    for (let count = 0; count < 5; count++) await ask(port);
    expect(left()).toEqual([]);
  });

  it('is bad when the service does not serve, or does not exist', async () => {
    const message = Buffer.from('00000000020802', 'hex');
    const down = await listen(createServer().on('stream', serving([], message)));
    expect(await ask(down)).toMatchObject({ ok: false, facts: { detail: 'NOT_SERVING' } });
    // Trailers only: the status stands in the one header frame.
    const unknown = createServer().on('stream', (stream) => {
      stream.respond(
        { 'grpc-status': '5', 'grpc-message': 'unknown service' },
        { endStream: true },
      );
    });
    expect(await ask(await listen(unknown))).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'grpc-status 5 unknown service' },
    });
  });

  it('reads no more of a message than its bound', async () => {
    const port = await listen(createServer().on('stream', serving([], Buffer.alloc(100_000))));
    expect(await ask(port)).toMatchObject({ ok: false, reason: 'bad_answer' });
  });

  it('ends at its timeout when no answer comes, or half of one', async () => {
    const silent = createServer().on('stream', (stream) => stream.on('error', () => undefined));
    const port = await listen(silent);
    expect(await ask(port, { timeoutMs: 150 })).toMatchObject({ ok: false, reason: 'timed_out' });
    const half = createServer().on('stream', (stream) => {
      stream.on('error', () => undefined);
      stream.respond({ 'content-type': 'application/grpc' });
      stream.write(isServing.subarray(0, 4));
    });
    expect(await ask(await listen(half), { timeoutMs: 150 })).toMatchObject({
      ok: false,
      reason: 'timed_out',
    });
  });

  it('says bad_answer, closed or reset to a target that is no HTTP/2 server', async () => {
    const http1 = await peerThat({ read: 24 }, { write: 'HTTP/1.1 400 Bad\r\n\r\n' });
    expect(await ask(http1.port)).toMatchObject({ ok: false, reason: 'bad_answer' });
    const closing = await peerThat({ read: 24 }, { end: true });
    expect(await ask(closing.port)).toMatchObject({ ok: false, reason: 'closed' });
    const resetting = await peerThat({ read: 24 }, { reset: true });
    expect(await ask(resetting.port)).toMatchObject({ ok: false, reason: 'reset' });
  });

  it.runIf(requireTools('openssl'))('speaks TLS when it has such a section', async () => {
    const { key, certificate, certificateFile } = await makeCertificate(20);
    const server = createSecureServer({ key, cert: certificate });
    const port = await listen(server.on('stream', serving([], isServing)));
    const tls = { serverName: 'probe.test', verify: true, ca: certificateFile, alpn: ['h2'] };
    const result = await ask(port, { tls });
    expect(result).toMatchObject({ ok: true, facts: { detail: 'SERVING' } });
    expect(result.facts?.certificateExpires?.getTime()).toBeGreaterThan(Date.now());
    expect((await ask(port)).ok).toBe(false);
  });
});
