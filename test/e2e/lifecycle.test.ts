// The life of a real process: start, refusal to start, drain, and the ways to end.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type EchoTarget, startTcpEcho } from '../support/echo-target.js';
import { temporaryFolder } from '../support/real-server.js';
import { configHead, mainPath, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

async function echoTarget(): Promise<EchoTarget> {
  const target = await startTcpEcho();
  onTestFinished(() => target.close());
  return target;
}

const config = (targetPort: number, listen = '127.0.0.1:0', more = ''): string => `${configHead}
listeners: { echo: { bind: "${listen}", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:${targetPort}"] } }
${more}`;

async function client(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
}

async function echoes(socket: Socket, text: string): Promise<boolean> {
  socket.write(text);
  const [answer] = await once(socket, 'data');
  return String(answer) === text;
}

describe('stopping', () => {
  it('lets open connections end by themselves, takes no new one, and exits 0', async () => {
    const target = await echoTarget();
    const sluice = await startSluice(config(target.port));
    const { port } = await sluice.address('echo');
    const open = await client(port);
    expect(await echoes(open, 'before')).toBe(true);
    sluice.signal('SIGTERM');
    await sluice.event('drain_started');
    expect(await echoes(open, 'during the drain')).toBe(true);
    const [refused] = await once(connect(port, '127.0.0.1'), 'error');
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
    open.end();
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
    expect(await sluice.event('drain_finished')).toMatchObject({ cut: 0 });
  });

  it('closes what is left at the deadline', async () => {
    const target = await echoTarget();
    const sluice = await startSluice(
      config(target.port, '127.0.0.1:0', 'shutdown: { drain_timeout: 300ms }'),
    );
    const open = await client((await sluice.address('echo')).port);
    expect(await echoes(open, 'x')).toBe(true);
    const closed = once(open, 'close');
    sluice.signal('SIGINT');
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
    await closed;
    expect(await sluice.event('drain_finished')).toMatchObject({ cut: 1 });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends at once at a second %s', async (signal) => {
    const target = await echoTarget();
    const sluice = await startSluice(
      config(target.port, '127.0.0.1:0', 'shutdown: { drain_timeout: 1h }'),
    );
    const open = await client((await sluice.address('echo')).port);
    expect(await echoes(open, 'x')).toBe(true);
    sluice.signal('SIGTERM');
    await sluice.event('drain_started');
    sluice.signal(signal);
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
  });

  it('waits without a deadline after SIGQUIT', async () => {
    const target = await echoTarget();
    const sluice = await startSluice(
      config(target.port, '127.0.0.1:0', 'shutdown: { drain_timeout: 1ms }'),
    );
    const open = await client((await sluice.address('echo')).port);
    expect(await echoes(open, 'x')).toBe(true);
    sluice.signal('SIGQUIT');
    await sluice.event('drain_started');
    for (let round = 0; round < 20; round++) expect(await echoes(open, `y${round}`)).toBe(true);
    open.end();
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
  });
});

describe('a sluice with nothing but a listener', () => {
  it('goes on serving: without admin API, probe and watch it stays alive', async () => {
    const target = await echoTarget();
    const socketPath = join(await temporaryFolder(), 'echo.sock');
    const sluice = await startSluice(`admin: { listen: off }
log: { format: json }
listeners: { echo: { bind: "unix:${socketPath}", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:${target.port}"], health: none } }`);
    for (let round = 0; round < 100; round++) {
      const socket = connect({ path: socketPath });
      await once(socket, 'connect');
      expect(await echoes(socket, `round ${round}`)).toBe(true);
      socket.destroy();
    }
    sluice.signal('SIGTERM');
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
  });
});

describe('a SIGHUP while sluice starts', () => {
  it('reloads when that can be done, and does not end the process', async () => {
    const targets = Array.from({ length: 2000 }, (_, index) => `"127.0.1.1:${index + 1}"`);
    const sluice = await startSluice(
      `${configHead}
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: [${targets.join()}], health: none } }`,
      { waitReady: false },
    );
    await sluice.event('starting');
    sluice.signal('SIGHUP');
    await sluice.event('reload_applied');
    expect(sluice.log.findIndex(({ event }) => event === 'ready')).toBeGreaterThan(0);
    sluice.signal('SIGTERM');
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
  });
});

describe('an address that is taken', () => {
  it('refuses a second sluice, and the first keeps every connection', async () => {
    const target = await echoTarget();
    const first = await startSluice(config(target.port));
    const { port } = await first.address('echo');
    const second = await startSluice(config(target.port, `127.0.0.1:${port}`), {
      waitReady: false,
    });
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.stderr()).toMatch(
      new RegExp(`listener echo, 127\\.0\\.0\\.1:${port}: another socket has the address`),
    );
    for (let round = 0; round < 50; round++) {
      const socket = await client(port);
      expect(await echoes(socket, 'still here')).toBe(true);
      socket.destroy();
    }
  });

  it.each(['127.0.0.1', '*'])('refuses to share %s with another program', async (host) => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => {
      other.close();
    });
    const { port } = other.address() as AddressInfo;
    const sluice = await startSluice(config(9, `${host}:${port}`), { waitReady: false });
    expect(await sluice.exited).toEqual({ code: 1, signal: null });
    expect(sluice.stderr()).toContain('another socket has the address');
    expect(sluice.stderr()).toContain('SLUICE_START_TABLE');
  });

  it('names the admin address when that one is taken, and stops what it had started', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => {
      other.close();
    });
    const { port } = other.address() as AddressInfo;
    const sluice = await startSluice(
      `admin: { listen: "127.0.0.1:${port}" }
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:9"] } }`,
      { waitReady: false },
    );
    expect(await sluice.exited).toEqual({ code: 1, signal: null });
    expect(sluice.stderr()).toContain(
      `admin.listen 127.0.0.1:${port}: another program listens there (SLUICE_ADMIN_LISTEN)`,
    );
  });
});

describe('a configuration with errors', () => {
  it('is refused with exit code 2, each error with its place, line and caret', async () => {
    const sluice = await startSluice(
      `listeners:
  web: { bind: "127.0.0.1:70000", pool: wbe }
pools:
  web: { targets: ["127.0.0.1:80"] }
`,
      { waitReady: false },
    );
    expect(await sluice.exited).toEqual({ code: 2, signal: null });
    const text = sluice.stderr();
    expect(text).toMatch(
      /sluice\.yaml:2:\d+ {2}listeners\.web\.bind {2}.*70000.* SLUICE_CONFIG_\w+/,
    );
    expect(text).toMatch(/sluice\.yaml:2:\d+ {2}listeners\.web\.pool {2}.*did you mean web\?/);
    expect(text).toMatch(/\n +\^/);
    expect(sluice.log).toEqual([]);
  });

  it('of an unknown command or file says what to do', async () => {
    const unknown = await startSluice('', { args: ['rnu'], waitReady: false });
    expect(await unknown.exited).toEqual({ code: 2, signal: null });
    expect(unknown.stderr()).toMatch(/did you mean run/i);
    const missing = await startSluice('', { args: ['run', '/nowhere.yaml'], waitReady: false });
    expect(await missing.exited).toEqual({ code: 2, signal: null });
    expect(missing.stderr()).toContain('SLUICE_CONFIG_FILE_MISSING');
    expect(mainPath).toContain('dist');
  });
});

describe('sluice demo', () => {
  it('says which of its targets is taken, and starts nothing', async () => {
    const taken = await echoTarget();
    const sluice = await startSluice(config(taken.port), { waitReady: false, command: 'demo' });
    expect(await sluice.exited).toEqual({ code: 1, signal: null });
    expect(sluice.stderr()).toMatch(/demo target .*:\d+ is taken \(SLUICE_DEMO_TARGET\)/);
  });

  it('serves the quick start by itself, says what to type, and ends with 0 at Ctrl-C', async () => {
    const sluice = await startSluice('', {
      args: ['demo'],
      waitReady: false,
      eventTimeoutMs: 30_000,
    });
    await sluice.event('ready');
    await waitFor('the banner', () => sluice.stderr().includes('Ctrl-C'));
    const text = sluice.stderr();
    expect(text).toMatch(/admin {2}http:\/\/127\.0\.0\.1:\d+/);
    const commands = text.split('\n').filter((line) => line.includes('for i in'));
    expect(commands).toHaveLength(2);
    sluice.signal('SIGINT');
    expect(await sluice.exited).toEqual({ code: 0, signal: null });
  });
});
