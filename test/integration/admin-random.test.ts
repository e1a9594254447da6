// Requests that nobody means, at a real load balancer: each is answered, none with a 5xx, and the
// clients of the listener notice nothing.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { createLoadBalancer } from '../../src/library.js';
import { startTcpEcho } from '../support/echo-target.js';
import { testSeed } from '../support/seed.js';

async function start() {
  const target = await startTcpEcho({});
  onTestFinished(() => target.close());
  const balancer = await createLoadBalancer({
    config: {
      admin: { listen: '127.0.0.1:0' },
      listeners: { web: { bind: '127.0.0.1:0', pool: 'web' } },
      pools: { web: { targets: [`127.0.0.1:${target.port}`], health: 'none' } },
    },
  });
  onTestFinished(() => balancer.close({ drainTimeoutMs: 0 }));
  const port = Number(new URL(balancer.adminAddress ?? '').port);
  return { balancer, port };
}

/** What comes back for these very bytes; empty: nothing. */
async function sendRaw(port: number, bytes: string | Uint8Array): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.end(bytes);
  return await textOf(socket).catch(() => '');
}

const ready = 'GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';

const words = fc.constantFrom(
  'api/v1',
  'pools',
  'web',
  'targets',
  'drain',
  'enable',
  'listeners',
  'status',
  'openapi.json',
  'metrics',
  '__proto__',
  'constructor',
  '..',
  '%2e%2e',
  '%2F',
  '%',
  '%E0%A4',
  '%00',
  '?limit=1&limit=2',
  '?__proto__[x]=1',
);
const part = fc.oneof({ weight: 4, arbitrary: words }, fc.webPath(), fc.string({ maxLength: 20 }));
const path = fc
  .array(part, { maxLength: 8 })
  .map((parts) => `/${parts.join('/')}`.replaceAll(/[\s\p{C}]/gu, '_'));
const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'wait', 'deadlineMs'),
  fc.string(),
);
const body = fc.oneof(
  fc.json(),
  fc.dictionary(key, fc.jsonValue()).map((value) => JSON.stringify(value)),
  fc.string(),
  fc.integer({ min: 1, max: 40_000 }).map((length) => '['.repeat(length)),
);
const header = fc.constantFrom(
  'content-type: application/json',
  'content-type: text/plain',
  'authorization: Bearer x',
  'origin: null',
  'sec-fetch-site: cross-site',
  'if-match: "x"',
  'accept: \u0001',
  'transfer-encoding: chunked',
  'expect: 100-continue',
);

it('answers random requests, none of them with a 5xx', { timeout: 120_000 }, async () => {
  const { balancer, port } = await start();
  const method = fc.constantFrom(
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'BREW',
  );
  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      fc.uniqueArray(header, { maxLength: 5 }),
      body,
      async (verb, where, headers, content) => {
        const lines = [`${verb} ${where} HTTP/1.1`, 'host: localhost', 'connection: close'];
        const length = `content-length: ${Buffer.byteLength(content)}`;
        const head = [...lines, ...headers, length].join('\r\n');
        const answer = await sendRaw(port, Buffer.from(`${head}\r\n\r\n${content}`));
        expect(answer).not.toMatch(/^HTTP\/1\.1 5/);
      },
    ),
    { numRuns: 300, seed: testSeed() },
  );
  expect(({} as Record<string, unknown>).x).toBeUndefined();
  expect(await sendRaw(port, ready)).toMatch(/200 OK/);
  const [, listenerPort] = (balancer.addresses('web')[0] ?? '').split(':');
  expect(await sendRaw(Number(listenerPort), 'still here')).toBe('still here');
});

it('survives bytes that are no request', async () => {
  const { port } = await start();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
      expect(await sendRaw(port, bytes)).not.toMatch(/^HTTP\/1\.1 5/);
    }),
    { numRuns: 100, seed: testSeed() },
  );
  expect(await sendRaw(port, ready)).toMatch(/200 OK/);
});

it('refuses a body without an end and headers without an end', async () => {
  const { port } = await start();
  const where = 'POST /api/v1/pools/web/targets/a/drain HTTP/1.1\r\nhost: localhost\r\n';
  const chunked = 'content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';
  const chunk = `1000\r\n${' '.repeat(0x1000)}\r\n`;
  const large = await sendRaw(port, `${where}${chunked}${chunk.repeat(64)}0\r\n\r\n`);
  expect(large).toMatch(/^HTTP\/1\.1 413/);
  const many = await sendRaw(port, `${where}x: ${'y'.repeat(100_000)}\r\n\r\n`);
  expect(many).toMatch(/^HTTP\/1\.1 431/);
});
