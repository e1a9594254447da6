// The tcp probe against real sockets on loopback, port 0.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { isSelfConnection } from '../../src/health/probe-socket.js';
import { createTcpProbe } from '../../src/health/tcp-probe.js';
import type { Endpoint } from '../../src/model/address.js';
import { loopback, requestOf } from '../support/probe-request.js';
import { watchTimeWait } from '../support/time-wait.js';

const ask = createTcpProbe({ clock: systemClock() });
const probe = (endpoint: Endpoint, timeoutMs: number) =>
  ask(requestOf({ kind: 'tcp' }, { endpoint, timeoutMs }));
const open: { close(): unknown }[] = [];

afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function listen(where: { host: string; port: 0 } | { path: string }): Promise<Server> {
  // Probes end with a reset, which a server meets as an error.
  const server = createServer((socket) => socket.on('error', () => undefined));
  open.push(server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not an IP listener');
  return address.port;
}

const loopback6 = (port: number): Endpoint => ({
  kind: 'ip',
  ip: {
    family: 'ipv6',
    bytes: Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0)),
    scopeId: 0,
  },
  port,
});

/** Connects until a connection gets no answer, then says where, and stays until its input ends. */
const fullBacklog = `
import socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(0)
clients = []
while True:
    client = socket.socket()
    client.settimeout(0.2)
    clients.append(client)
    try:
        client.connect(listener.getsockname())
    except TimeoutError:
        break
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
`;

/** A listening socket with a full backlog: Linux drops further SYNs, so nobody answers. */
async function silentPort(): Promise<number> {
  const child = spawn('python3', ['-c', fullBacklog], { stdio: ['pipe', 'pipe', 'inherit'] });
  open.push({ close: () => child.kill() });
  return new Promise((resolve) => {
    child.stdout.once('data', (data: Buffer) => resolve(Number(data.toString())));
  });
}

describe('the tcp probe', () => {
  it('succeeds where something listens, over IPv4 and IPv6', async () => {
    const server = await listen({ host: '127.0.0.1', port: 0 });
    const result = await probe(loopback(portOf(server)), 1000);
    expect(result).toMatchObject({ ok: true, reason: 'connected' });
    expect(result.latencyMs).toBeGreaterThan(0);
    expect(result.latencyMs).toBeLessThan(1000);
    const server6 = await listen({ host: '::1', port: 0 });
    expect(await probe(loopback6(portOf(server6)), 1000)).toMatchObject({ ok: true });
  });

  it('closes with a reset and leaves no socket in TIME_WAIT', async () => {
    const server = await listen({ host: '127.0.0.1', port: 0 });
    const ends: (string | undefined)[] = [];
    server.on('connection', (socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code));
      socket.on('end', () => ends.push('end'));
      socket.resume();
    });
    const left = watchTimeWait(portOf(server));
    for (let count = 0; count < 20; count++) await probe(loopback(portOf(server)), 1000);
    await vi.waitFor(() => expect(ends).toHaveLength(20));
    expect(new Set(ends)).toEqual(new Set(['ECONNRESET']));
    expect(left()).toEqual([]);
  });

  it('says refused where nothing listens', async () => {
    const server = await listen({ host: '127.0.0.1', port: 0 });
    const port = portOf(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await probe(loopback(port), 1000)).toMatchObject({ ok: false, reason: 'refused' });
  });

  it('says timed_out where nobody answers, at the timeout and not before', async () => {
    const port = await silentPort();
    const result = await probe(loopback(port), 200);
    expect(result).toMatchObject({ ok: false, reason: 'timed_out' });
    expect(result.latencyMs).toBeGreaterThanOrEqual(199);
    expect(result.latencyMs).toBeLessThan(1200);
  });

  it('prefers a result that waits in the kernel to a timer that is late', async () => {
    const server = await listen({ host: '127.0.0.1', port: 0 });
    const pending = probe(loopback(portOf(server)), 50);
    const untilMs = performance.now() + 200;
    while (performance.now() < untilMs);
    expect(await pending).toMatchObject({ ok: true, reason: 'connected' });
  });

  it('connects to unix sockets, by path and abstract', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'));
    open.push({ close: () => rmSync(folder, { recursive: true, force: true }) });
    const path = join(folder, 'target.sock');
    expect(await probe({ kind: 'unix', path }, 1000)).toMatchObject({ reason: 'not_found' });
    const server = await listen({ path });
    expect(await probe({ kind: 'unix', path }, 1000)).toMatchObject({ ok: true });
    await new Promise((resolve) => server.close(resolve));
    expect((await probe({ kind: 'unix', path }, 1000)).ok).toBe(false);

    const name = `sluice-test-${process.pid}`;
    await listen({ path: `\0${name}` });
    expect(await probe({ kind: 'unix', path: `@${name}` }, 1000)).toMatchObject({ ok: true });
    expect(await probe({ kind: 'unix', path: `@${name}-not` }, 1000)).toMatchObject({
      ok: false,
      reason: 'refused',
    });
  });

  it('answers, and does not throw, whatever it is given', async () => {
    const path = 'x'.repeat(500);
    expect((await probe({ kind: 'unix', path }, 100)).ok).toBe(false);
    expect((await probe(loopback(70_000), 100)).ok).toBe(false);
  });

  it('does not take a connection to itself for a target', () => {
    const own = { localAddress: '127.0.0.1', remoteAddress: '127.0.0.1' };
    expect(isSelfConnection({ ...own, localPort: 40000, remotePort: 40000 })).toBe(true);
    expect(isSelfConnection({ ...own, localPort: 40000, remotePort: 40001 })).toBe(false);
    expect(
      isSelfConnection({
        localPort: 9,
        remotePort: 9,
        localAddress: '10.0.0.1',
        remoteAddress: '10.0.0.2',
      }),
    ).toBe(false);
  });
});
