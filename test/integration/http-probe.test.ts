// The http and https probes against scripted peers and the real nginx.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createHttpProbe, createHttpsProbe } from '../../src/health/http-probe.js';
import { createTrust } from '../../src/health/tls-socket.js';
import type { HttpSettings } from '../../src/model/health-check.js';
import { makeCertificate } from '../support/certificate.js';
import { loopback, peerThat, requestOf } from '../support/probe-request.js';
import { startNginx } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';

const tools = { clock: systemClock(), trust: createTrust() };
const probe = createHttpProbe(tools);
const plain: HttpSettings = {
  method: 'GET',
  path: '/',
  host: null,
  status: [{ low: 200, high: 399 }],
  body: null,
  bodyRegex: null,
};

function ask(port: number, changes: Partial<HttpSettings> = {}, timeoutMs = 5000) {
  const http = { ...plain, ...changes };
  const where = { endpoint: loopback(port), host: 'db.internal', timeoutMs };
  return probe(requestOf({ kind: 'http', http }, where));
}

/** The empty line that ends a request. */
const answering = (text: string) => peerThat({ read: 40 }, { write: text }, { readToEnd: true });

describe('the http probe', () => {
  it('sends one request and takes a good status, without waiting for the body', async () => {
    const peer = await answering('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
    expect(await ask(peer.port, { path: '/up?x=1' })).toMatchObject({
      ok: true,
      reason: 'answered',
      facts: { detail: 'HTTP 200 OK' },
    });
    const result = await peer.results[0];
    expect(result?.ended).toBe('reset');
    expect(result?.received.toString().split('\r\n')).toEqual([
      'GET /up?x=1 HTTP/1.1',
      `host: db.internal:${peer.port}`,
      'user-agent: sluice-probe',
      'accept: */*',
      'connection: close',
      '',
      '',
    ]);
  });

  it('sends the method and the host that it is told', async () => {
    const peer = await answering('HTTP/1.1 204 No Content\r\n\r\n');
    expect(await ask(peer.port, { method: 'HEAD', host: 'www.test' })).toMatchObject({ ok: true });
    const received = (await peer.results[0])?.received.toString() ?? '';
    expect(received).toMatch(/^HEAD \/ HTTP\/1.1\r\nhost: www.test\r\n/);
  });

  it('names a status that is not expected', async () => {
    const peer = await answering('HTTP/1.1 503 Service Unavailable\r\n\r\n');
    expect(await ask(peer.port)).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'HTTP 503 Service Unavailable' },
    });
    expect(await ask(peer.port, { status: [{ low: 500, high: 599 }] })).toMatchObject({ ok: true });
  });

  it('takes a redirect for what it is, and follows none', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const { port } = server.address() as AddressInfo;
      response.writeHead(302, { location: `http://127.0.0.1:${port}/next` }).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await ask(port)).toMatchObject({ ok: true, facts: { detail: 'HTTP 302 Found' } });
    expect(await ask(port, { status: [{ low: 200, high: 299 }] })).toMatchObject({ ok: false });
    expect(asked).toEqual(['/', '/']);
  });

  it('looks for a text and a pattern in a body, in chunks too', async () => {
    const peer = await answering(
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nall \r\n4\r\nwell\r\n0\r\n\r\n',
    );
    expect(await ask(peer.port, { body: 'all well' })).toMatchObject({ ok: true });
    expect(await ask(peer.port, { bodyRegex: '^all (well|good)$' })).toMatchObject({ ok: true });
    expect(await ask(peer.port, { body: 'all well', bodyRegex: 'bad' })).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'HTTP 200 OK: the body does not match' },
    });
    expect(await ask(peer.port, { body: 'ill' })).toMatchObject({
      facts: { detail: 'HTTP 200 OK: the body lacks the text' },
    });
  });

  it('reads no more of a body than its bound', async () => {
    const peer = await answering(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(70_000)}here`);
    expect(await ask(peer.port, { body: 'here' })).toMatchObject({ ok: false });
    expect(await ask(peer.port, { body: 'xx' })).toMatchObject({ ok: true });
  });

  it('is not held by a body without end', async () => {
    const until = new Promise(() => undefined);
    const peer = await peerThat({ read: 40 }, { write: 'HTTP/1.1 200 OK\r\n\r\nslow' }, { until });
    expect(await ask(peer.port, { body: 'fast' }, 100)).toMatchObject({
      ok: false,
      reason: 'timed_out',
    });
  });

  it('says closed when the answer is not whole', async () => {
    for (const text of ['', 'HTTP/1.1 200', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf']) {
      const peer = await peerThat({ read: 40 }, { write: text }, { end: true });
      expect(await ask(peer.port, { body: 'whole' }), text).toMatchObject({
        ok: false,
        reason: 'closed',
      });
    }
  });

  it('says bad_answer to what is not HTTP, and to headers without end', async () => {
    const garbage = await answering('220 mail ESMTP\r\n');
    expect(await ask(garbage.port)).toMatchObject({ ok: false, reason: 'bad_answer' });
    const long = await answering(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(await ask(long.port)).toMatchObject({ ok: false, reason: 'bad_answer' });
    const interim = await answering('HTTP/1.1 102 Processing\r\n\r\n'.repeat(5000));
    expect(await ask(interim.port)).toMatchObject({ ok: false, reason: 'bad_answer' });
  });
});

describe.runIf(requireTools('nginx', 'openssl'))('with the real nginx', () => {
  it('is good over http and https, and tells when the certificate expires', async () => {
    const { certificateFile, keyFile } = await makeCertificate(10);
    const tlsLines = `ssl_certificate ${certificateFile}; ssl_certificate_key ${keyFile};`;
    const nginx = await startNginx('well', { 'file.txt': Buffer.from('a line') });
    expect(await ask(nginx.port, { path: '/name', body: 'well' })).toMatchObject({ ok: true });
    expect(await ask(nginx.port, { path: '/none' })).toMatchObject({
      ok: false,
      facts: { detail: 'HTTP 404 Not Found' },
    });
    const secure = await startNginx('safe', {}, tlsLines);
    const https = createHttpsProbe(tools);
    const tls = { serverName: 'probe.test', verify: true, ca: certificateFile, alpn: [] };
    const http = { ...plain, path: '/name', body: 'safe' };
    const where = { endpoint: loopback(secure.port), timeoutMs: 5000 };
    const result = await https(requestOf({ kind: 'https', http, tls }, where));
    expect(result).toMatchObject({ ok: true, facts: { detail: 'HTTP 200 OK' } });
    const days = ((result.facts?.certificateExpires?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeCloseTo(10, 1);
    const inTheClear = await ask(secure.port, { path: '/name' });
    expect(inTheClear).toMatchObject({ ok: false, facts: { detail: 'HTTP 400 Bad Request' } });
    const overPlain = requestOf(
      { kind: 'https', http, tls },
      {
        ...where,
        endpoint: loopback(nginx.port),
      },
    );
    expect(await https(overPlain)).toMatchObject({ ok: false, reason: 'tls_failed' });
  });
});
