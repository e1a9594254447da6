// Health checks from the file to the model: every section with its defaults, and every key.
import { describe, expect, it } from 'vitest';
import { diffConfigs } from '../../../src/config/diff.js';
import type { HealthCheck } from '../../../src/model/health-check.js';
import { load, withPool } from '../../support/bad-file.js';

function configOf(text: string) {
  const result = load(withPool(`health: ${text}`));
  if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join('; '));
  expect(result.warnings).toEqual([]);
  return result.config;
}

function check(text: string): HealthCheck | undefined {
  return configOf(text).pools[0]?.health;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const tls = { serverName: null, verify: true, ca: null, alpn: [] };

describe('a health check', () => {
  it('has defaults in every section that can be left out', () => {
    const http = {
      method: 'GET',
      path: '/',
      host: null,
      status: [{ low: 200, high: 399 }],
      body: null,
      bodyRegex: null,
    };
    expect(check('http')).toMatchObject({ kind: 'http', http });
    expect(check('https')).toMatchObject({ kind: 'https', http, tls });
    expect(check('tls')).toMatchObject({ kind: 'tls', tls });
    expect(check('grpc')).toMatchObject({ kind: 'grpc', grpc: { service: '' }, tls: null });
    expect(check('memcached')).toMatchObject({ kind: 'memcached' });
    expect(check('{ type: dns, dns: { name: "." } }')).toMatchObject({
      dns: { name: '.', recordType: 'A', codes: ['NOERROR'], answers: 0 },
    });
    expect(check('{ type: udp, udp: { send: x } }')).toMatchObject({
      udp: { send: bytes('x'), expect: null, silence: 'bad' },
    });
  });

  it('takes every key of http and tls', () => {
    const text = `{ type: https, http: { method: POST, path: "/a?b=c", host: "www.test:8",
      status: [200, "301-302"], body: ok, body_regex: "^o" },
      tls: { server_name: www.test, verify: true, ca: /etc/ca.pem, alpn: [http/1.1] } }`;
    expect(check(text)).toMatchObject({
      http: {
        method: 'POST',
        path: '/a?b=c',
        host: 'www.test:8',
        status: [
          { low: 200, high: 200 },
          { low: 301, high: 302 },
        ],
        body: 'ok',
        bodyRegex: '^o',
      },
      tls: { serverName: 'www.test', verify: true, ca: '/etc/ca.pem', alpn: ['http/1.1'] },
    });
    expect(check('{ type: http, http: { status: 204 } }')).toMatchObject({
      http: { status: [{ low: 204, high: 204 }] },
    });
  });

  it('takes every kind of step', () => {
    const text = `{ type: send_expect, tls: {}, send_expect: { steps: [{ send: "a\\r\\n" },
      { send_hex: "00 ff" }, { expect: b }, { expect_hex: "0D0a" }, { expect_regex: "^c" }] } }`;
    expect(check(text)).toMatchObject({
      sendExpect: {
        steps: [
          { kind: 'send', bytes: bytes('a\r\n') },
          { kind: 'send', bytes: Uint8Array.of(0, 255) },
          { kind: 'bytes', bytes: bytes('b') },
          { kind: 'bytes', bytes: bytes('\r\n') },
          { kind: 'regex', regex: '^c' },
        ],
      },
      tls,
    });
  });

  it('takes every key of udp, dns, grpc and exec', () => {
    const udp = '{ type: udp, udp: { send_hex: "01", expect_hex: "02", silence: good } }';
    expect(check(udp)).toMatchObject({
      udp: {
        send: Uint8Array.of(1),
        expect: { kind: 'bytes', bytes: Uint8Array.of(2) },
        silence: 'good',
      },
    });
    const dns =
      '{ type: dns, dns: { name: a.test, type: SRV, codes: [NXDOMAIN, NOERROR], answers: 2 } }';
    expect(check(dns)).toMatchObject({
      dns: { name: 'a.test', recordType: 'SRV', codes: ['NXDOMAIN', 'NOERROR'], answers: 2 },
    });
    expect(check('{ type: grpc, grpc: { service: a.B }, tls: {} }')).toMatchObject({
      grpc: { service: 'a.B' },
      tls: { ...tls, alpn: ['h2'] },
    });
    expect(check('{ type: exec, exec: { command: [/bin/x, "", -v] } }')).toMatchObject({
      exec: { command: ['/bin/x', '', '-v'] },
    });
  });

  it('may have agents beside it', () => {
    const agentOf = (text: string) => {
      const result = load(withPool(`agent: ${text}`));
      return result.ok ? result.config.pools[0]?.agent : undefined;
    };
    expect(agentOf('{ port: 7777 }')).toEqual({
      port: 7777,
      intervalMs: 2000,
      timeoutMs: 2000,
      send: null,
    });
    expect(agentOf('{ port: 7, interval: 10s, timeout: 1s, send: "a" }')).toEqual({
      port: 7,
      intervalMs: 10_000,
      timeoutMs: 1000,
      send: bytes('a'),
    });
    expect(agentOf('{ port: 7, interval: 10s }')).toMatchObject({ timeoutMs: 5000 });
  });

  it('shows what changes in it, in the words of the file', () => {
    const before = configOf('{ type: send_expect, send_expect: { steps: [{ send: a }] } }');
    const after = configOf(
      '{ type: send_expect, tls: {}, send_expect: { steps: [{ send_hex: "ff" }] } }',
    );
    const changes = diffConfigs(before, after).map(
      ({ path, before: old, after: now }) => `${path}: ${old} -> ${now}`,
    );
    expect(changes).toContain(
      'pools.web.health.send_expect.steps: {"kind":"send","bytes":"61"} -> ' +
        '{"kind":"send","bytes":"ff"}',
    );
    const udp = (send: string) => configOf(`{ type: udp, udp: { send: ${send} } }`);
    expect(diffConfigs(udp('a'), udp('b'))).toMatchObject([
      { path: 'pools.web.health.udp.send', before: '61', after: '62' },
    ]);
  });
});
