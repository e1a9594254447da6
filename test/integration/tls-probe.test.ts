// The tls probe against TLS servers of Node and scripted peers.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createTlsProbe } from '../../src/health/tls-probe.js';
import { createTrust } from '../../src/health/tls-socket.js';
import type { TlsSettings } from '../../src/model/health-check.js';
import { type Certificate, makeCertificate } from '../support/certificate.js';
import { loopback, peerThat, requestOf } from '../support/probe-request.js';
import { temporaryFolder } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { watchTimeWait } from '../support/time-wait.js';

const probe = createTlsProbe({ clock: systemClock(), trust: createTrust() });
const settings: TlsSettings = { serverName: null, verify: true, ca: null, alpn: [] };

function ask(port: number, changes: Partial<TlsSettings> = {}, timeoutMs = 5000) {
  const tls = { ...settings, ...changes };
  const where = { endpoint: loopback(port), host: '127.0.0.1', timeoutMs };
  return probe(requestOf({ kind: 'tls', tls }, where));
}

interface TlsPeer {
  readonly port: number;
  /** Connections that were made and are over. */
  readonly closed: () => number;
  /** The names that clients asked for. */
  readonly names: (string | false)[];
}

async function startTlsPeer(
  { key, certificate }: Certificate,
  options: TlsOptions = {},
): Promise<TlsPeer> {
  let closed = 0;
  const names: (string | false)[] = [];
  const server = createServer({ key, cert: certificate, ...options }, (socket) => {
    names.push(socket.servername ?? false);
    socket.on('error', () => undefined);
    socket.on('close', () => closed++);
    socket.resume();
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, closed: () => closed, names };
}

describe.runIf(requireTools('openssl'))('the tls probe', () => {
  it('is good with a certificate that is trusted, and tells when it expires', async () => {
    const certificate = await makeCertificate(30);
    const peer = await startTlsPeer(certificate);
    const result = await ask(peer.port, { ca: certificate.certificateFile });
    expect(result).toMatchObject({ ok: true, reason: 'connected' });
    const days = ((result.facts?.certificateExpires?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
  });

  it('leaves no socket in TIME_WAIT', async () => {
    const certificate = await makeCertificate();
    const peer = await startTlsPeer(certificate);
    const left = watchTimeWait(peer.port);
    for (let count = 0; count < 5; count++) await ask(peer.port, { verify: false });
    await expect.poll(() => peer.closed()).toBe(5);
    expect(left()).toEqual([]);
  });

  it('refuses a certificate of nobody known, and takes it when told not to verify', async () => {
    const peer = await startTlsPeer(await makeCertificate());
    const result = await ask(peer.port);
    expect(result).toMatchObject({ ok: false, reason: 'tls_failed' });
    expect(result.facts?.detail).toMatch(/SELF_SIGNED/);
    expect(result.facts?.certificateExpires).toBeInstanceOf(Date);
    expect(await ask(peer.port, { verify: false })).toMatchObject({ ok: true });
  });

  it('refuses one that has expired', async () => {
    const certificate = await makeCertificate(-1);
    const peer = await startTlsPeer(certificate);
    const result = await ask(peer.port, { ca: certificate.certificateFile });
    expect(result).toMatchObject({ ok: false, reason: 'tls_failed' });
    expect(result.facts?.detail).toBe('CERT_HAS_EXPIRED');
    expect(result.facts?.certificateExpires?.getTime()).toBeLessThan(Date.now());
  });

  it('asks for server_name, and wants the certificate to be for it', async () => {
    const certificate = await makeCertificate();
    const ca = certificate.certificateFile;
    const peer = await startTlsPeer(certificate);
    expect(await ask(peer.port, { ca, serverName: 'probe.test' })).toMatchObject({ ok: true });
    const other = await ask(peer.port, { ca, serverName: 'other.test' });
    expect(other).toMatchObject({ ok: false, reason: 'tls_failed' });
    expect(other.facts?.detail).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    await expect.poll(() => peer.names).toEqual(['probe.test', 'other.test']);
  });

  it('wants one of the protocols that it offers', async () => {
    const certificate = await makeCertificate();
    const peer = await startTlsPeer(certificate, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(await ask(peer.port, { verify: false, alpn: ['h2'] })).toMatchObject({ ok: true });
    const none = await ask(peer.port, { verify: false, alpn: ['imap'] });
    expect(none).toMatchObject({ ok: false, reason: 'tls_failed' });
    const silent = await startTlsPeer(certificate);
    const ignored = await ask(silent.port, { verify: false, alpn: ['h2'] });
    expect(ignored).toMatchObject({ ok: false, reason: 'tls_failed' });
    expect(ignored.facts?.detail).toBe('the target takes none of h2');
  });

  it('calls it our own fault when the file of those to trust cannot be used', async () => {
    const peer = await startTlsPeer(await makeCertificate());
    const missing = await ask(peer.port, { ca: '/nonexistent/ca.pem' });
    expect(missing).toMatchObject({ ok: false, reason: 'local' });
    expect(missing.facts?.detail).toContain('/nonexistent/ca.pem: ENOENT');
  });

  it('notices that the file of those to trust has changed', async () => {
    const [first, second] = [await makeCertificate(), await makeCertificate()];
    const peer = await startTlsPeer(second);
    const ca = join(await temporaryFolder(), 'ca.pem');
    await writeFile(ca, first.certificate);
    expect(await ask(peer.port, { ca })).toMatchObject({ ok: false, reason: 'tls_failed' });
    await writeFile(ca, second.certificate);
    expect(await ask(peer.port, { ca })).toMatchObject({ ok: true });
  });
});

describe('the tls probe, with a target that speaks no TLS', () => {
  it('says tls_failed to garbage', async () => {
    const peer = await peerThat({ read: 16 }, { write: 'HTTP/1.1 400 Bad Request\r\n\r\n' });
    const result = await ask(peer.port);
    expect(result).toMatchObject({ ok: false, reason: 'tls_failed' });
    expect(result.facts?.detail).toMatch(/WRONG_VERSION|SSL|TLS/i);
  });

  it('says closed, reset and timed_out as they come', async () => {
    const closing = await peerThat({ read: 16 }, { end: true });
    expect(await ask(closing.port)).toMatchObject({ ok: false, reason: 'closed' });
    const resetting = await peerThat({ read: 16 }, { reset: true });
    expect(await ask(resetting.port)).toMatchObject({ ok: false, reason: 'reset' });
    const silent = await peerThat({ readToEnd: true });
    expect(await ask(silent.port, {}, 100)).toMatchObject({ ok: false, reason: 'timed_out' });
    const half = await peerThat({ read: 16 }, { write: Buffer.of(0x16, 0x03, 0x03, 0x40) });
    expect(await ask(half.port, {}, 100)).toMatchObject({ ok: false, reason: 'timed_out' });
    expect((await half.results[0])?.ended).not.toBe('fin');
  });
});
