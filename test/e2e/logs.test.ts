// What a running sluice tells: log files that can be rotated, access records, the admin API.
import { once } from 'node:events';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Status } from '../../src/model/status.js';
import { startTcpEcho } from '../support/echo-target.js';
import { temporaryFolder } from '../support/real-server.js';
import { askAdmin, configHead, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

async function echo() {
  const target = await startTcpEcho();
  onTestFinished(() => target.close());
  return target;
}

async function exchange(port: number, bytes: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  socket.end(Buffer.alloc(bytes, 7));
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(socket, 'close');
  return received;
}

describe('the log', () => {
  it('goes on in a new file after a rotation and SIGUSR1, and no debugger opens', async () => {
    const target = await echo();
    const folder = await temporaryFolder();
    const file = join(folder, 'sluice.log');
    const sluice = await startSluice(
      `admin: { listen: "127.0.0.1:0" }
log: { format: json, output: "${file}" }
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:${target.port}"], health: none } }`,
      { waitReady: false },
    );
    const read = (path: string) => readFile(path, 'utf8').catch(() => '');
    await waitFor('ready', async () => (await read(file)).includes('"event":"ready"'), {
      timeoutMs: 20_000,
    });
    await rename(file, `${file}.1`);
    sluice.signal('SIGUSR1');
    await waitFor('the new file', async () => (await read(file)).includes('logs_reopened'));
    sluice.signal('SIGTERM');
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
    expect(await read(file)).toContain('"event":"stopped"');
    expect(await read(`${file}.1`)).not.toContain('"event":"stopped"');
    expect(sluice.stderr()).not.toContain('Debugger');
  });

  it('puts access records into a file of their own that SIGHUP and its size rotate', async () => {
    const target = await echo();
    const folder = await temporaryFolder();
    const file = join(folder, 'access.log');
    const sluice = await startSluice(`admin: { listen: "127.0.0.1:0" }
log: { format: json, access: "${file}", rotate: { size: 64KiB, keep: 2 } }
listeners: { echo: { bind: "127.0.0.1:0", pool: echo, access_log: true } }
pools: { echo: { targets: ["127.0.0.1:${target.port}"], health: none } }`);
    const { port } = await sluice.address('echo');
    const read = (path: string) => readFile(path, 'utf8').catch(() => '');
    expect(await exchange(port, 1)).toBe(1);
    await waitFor('the first record', async () =>
      (await read(file)).includes('"toTargetBytes":1,'),
    );
    await rename(file, join(folder, 'by-hand'));
    sluice.signal('SIGHUP');
    await sluice.event('reload_applied');
    expect(await exchange(port, 2)).toBe(2);
    await waitFor('the new file', async () => (await read(file)).includes('"toTargetBytes":2,'));
    // Some 300 bytes each.
    const lanes = Array.from({ length: 8 }, async () => {
      for (let count = 0; count < 50; count++) expect(await exchange(port, 3)).toBe(3);
    });
    await Promise.all(lanes);
    await waitFor('the rotation', async () => (await read(`${file}.1`)) !== '');
    sluice.signal('SIGTERM');
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
    const records = [`${file}.2`, `${file}.1`, file].map(read);
    const lines = (await Promise.all(records)).join('').trimEnd().split('\n');
    expect(lines).toHaveLength(401);
    expect(lines.every((line) => JSON.parse(line).event === 'connection_closed')).toBe(true);
    expect(sluice.log.some(({ event }) => event === 'connection_closed')).toBe(false);
  });

  it('has one access record per connection, with the bytes that the client saw', async () => {
    const target = await echo();
    const sluice = await startSluice(`${configHead}
listeners: { echo: { bind: "127.0.0.1:0", pool: echo, access_log: true } }
pools: { echo: { targets: [{ address: "127.0.0.1:${target.port}", name: only }] } }`);
    const { port } = await sluice.address('echo');
    const sizes = [0, 1, 70_000, 3_000_000];
    for (const size of sizes) expect(await exchange(port, size)).toBe(size);
    for (const size of sizes) {
      const record = await sluice.event(
        'connection_closed',
        ({ toTargetBytes }) => toTargetBytes === size,
      );
      expect(record).toMatchObject({
        listener: 'echo',
        pool: 'echo',
        target: 'only',
        clientIp: '127.0.0.1',
        toClientBytes: size,
        reason: 'client_closed',
      });
    }
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const { listeners, pools } = await sluice.status();
    for (const totals of [listeners[0]?.totals, pools[0]?.targets[0]?.totals]) {
      expect(totals).toMatchObject({ to_target_bytes: total, to_client_bytes: total });
    }
  });

  it('may lose its folder or its disk without a word to clients', async () => {
    const target = await echo();
    const folder = join(await temporaryFolder(), 'log');
    await mkdir(folder);
    for (const file of [join(folder, 'sluice.log'), '/dev/full']) {
      const admin = join(await temporaryFolder(), 'admin.sock');
      const sluice = await startSluice(
        `admin: { listen: "unix:${admin}" }
log: { output: "${file}" }
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:${target.port}"], health: none } }`,
        { waitReady: false },
      );
      const status = () =>
        askAdmin(`unix:${admin}`, '/api/v1/status').then((answer) => answer.json());
      await waitFor('a status', () => status().then(Boolean, () => false), { timeoutMs: 20_000 });
      await rm(folder, { recursive: true, force: true });
      sluice.signal('SIGUSR1');
      await waitFor('the trouble', () => sluice.stderr().includes(`log.output ${file}`));
      const { listeners } = (await status()) as Status;
      const port = Number(listeners[0]?.addresses[0]?.split(':')[1]);
      expect(await exchange(port, 1000)).toBe(1000);
      sluice.signal('SIGTERM');
      expect(await sluice.exited).toEqual({ code: 0, signal: null });
    }
  });

  it('refuses to start with a log file that cannot be opened', async () => {
    const sluice = await startSluice(
      `log: { output: /nowhere/sluice.log }
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:9"] } }`,
      { waitReady: false },
    );
    expect(await sluice.exited).toEqual({ code: 1, signal: null });
    expect(sluice.stderr()).toContain('SLUICE_LOG_OPEN');
  });
});

describe('the admin API', () => {
  it('answers health, readiness, status and metrics', async () => {
    const target = await echo();
    const sluice = await startSluice(`${configHead}
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:${target.port}"] } }`);
    const { port } = await sluice.address('echo');
    await exchange(port, 1000);
    expect(await (await sluice.admin('/healthz')).text()).toBe('ok\n');
    expect((await sluice.admin('/readyz')).status).toBe(200);
    expect((await sluice.admin('/nothing')).status).toBe(404);
    const text = await (await sluice.admin('/metrics')).text();
    expect(text).toMatch(/^sluice_listener_to_client_bytes_total\{.*\} 1000$/m);
    await sluice.event('target_health_changed');
    expect(await (await sluice.admin('/metrics')).text()).toMatch(
      /^sluice_target_health\{.*state="healthy"\} 1$/m,
    );
    expect(await sluice.status()).toMatchObject({
      generation: { wanted: 1, applied: 1 },
      pools: [{ targets: [{ health: 'healthy', adminState: 'enabled', eligible: true }] }],
    });
  });

  it('refuses a foreign Host, as a page that rebinds its name would send', async () => {
    const sluice = await startSluice(`${configHead}
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:9"], health: none } }`);
    const address = String((await sluice.event('ready')).adminAddress);
    const asked = request(`${address}/api/v1/status`, { headers: { host: 'evil.example:80' } });
    asked.end();
    const [response] = await once(asked, 'response');
    expect(response.statusCode).toBe(403);
    const [body] = await once(response, 'data');
    expect(String(body)).toContain('SLUICE_ADMIN_HOST');
  });

  it('is not ready while it drains', async () => {
    const target = await echo();
    const sluice = await startSluice(`${configHead}
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:${target.port}"] } }`);
    const { port } = await sluice.address('echo');
    const open = connect({ port, host: '127.0.0.1' });
    await once(open, 'connect');
    open.write('x');
    await once(open, 'data');
    sluice.signal('SIGTERM');
    await sluice.event('drain_started');
    const answer = await sluice.admin('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('shutting down');
    open.destroy();
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
  });
});
