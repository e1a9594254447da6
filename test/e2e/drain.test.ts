// Draining a target of a running sluice with live connections to real Redis, from the command line:
// who ends by itself, who is closed and how, and what the command says of it.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTcpEcho, startUdpEcho } from '../support/echo-target.js';
import { runProgram, startRedis } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const tools = requireTools('redis-server', 'redis-cli');

/** Runs another command than `run` against that sluice; resolves with how it ended. */
async function command(sluice: SluiceProcess, ...args: readonly string[]) {
  const { adminAddress } = await sluice.event('ready');
  const started = await startSluice('', {
    args: [...args, '--admin', String(adminAddress)],
    waitReady: false,
  });
  const ended = started.exited.then(({ code }) => ({
    code,
    text: started.log.map(({ text }) => String(text)).join('\n'),
    errors: started.stderr(),
  }));
  return { ended };
}

async function ping(socket: Socket): Promise<string> {
  socket.write('PING\r\n');
  return String((await once(socket, 'data'))[0]);
}

async function clientsOf(port: number, count: number): Promise<readonly Socket[]> {
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.on('error', () => socket.destroy());
      await once(socket, 'connect');
      expect(await ping(socket)).toBe('+PONG\r\n');
      return socket;
    }),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

/** Loopback loses nothing here: each question has its answer. */
function udpClient(port: number) {
  const socket = createSocket('udp4');
  onTestFinished(() => {
    socket.close();
  });
  return {
    ask: async (text: string) => {
      socket.send(text, port, '127.0.0.1');
      await once(socket, 'message');
    },
  };
}

async function targetOf(sluice: SluiceProcess, index = 0) {
  const target = (await sluice.status()).pools[0]?.targets[index];
  if (target === undefined) throw new Error('no such target');
  return target;
}

describe.runIf(tools)('sluice drain', () => {
  it('closes little by little what is left at the deadline, until it is cancelled', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    const sluice = await startSluice(`${configHead}
listeners: { redis: { bind: "127.0.0.1:0", pool: redis } }
pools:
  redis:
    targets: [{ address: "127.0.0.1:${first.port}", name: a }, "127.0.0.1:${second.port}"]`);
    const { port } = await sluice.address('redis');
    const count = 200;
    const sockets = await clientsOf(port, count);
    const before = (await targetOf(sluice)).active;
    // Each worker has a rotation of its own.
    expect(before).toBeGreaterThan(count / 4);

    // Long enough that a part is gone and a part is left for a while, however slow the machine.
    const args = ['drain', 'redis/a', '--deadline', '0s', '--close-over', '1m', '--wait'];
    const { ended } = await command(sluice, ...args);
    await waitFor('a first connection closed', async () => {
      const { drain, active } = await targetOf(sluice);
      return drain?.phase === 'closing' && drain.closed > 0 && active > 0;
    });
    const enabled = await (await command(sluice, 'enable', 'redis/a')).ended;
    expect(enabled).toMatchObject({ code: 0, text: 'redis/a is enabled' });
    const cancelled = await ended;
    expect(cancelled.code).toBe(1);
    expect(cancelled.text).toMatch(/^redis\/a cancelled after [\d.]+ s, \d+ closed, \d+ open$/);
    const target = await targetOf(sluice);
    expect(target).toMatchObject({ adminState: 'enabled', eligible: true, drain: null });
    expect(target.totals.closed_by_operator).toBe(before - target.active);

    // Whoever was not closed goes on as before.
    await waitFor('the clients to know', () => {
      return (
        sockets.filter((socket) => !socket.destroyed).length === count - before + target.active
      );
    });
    const open = sockets.filter((socket) => !socket.destroyed);
    expect(await Promise.all(open.map(ping))).toEqual(open.map(() => '+PONG\r\n'));

    const rest = ['drain', 'redis/a', '--deadline', '0s', '--close-over', '0s', '--wait'];
    const closed = await (await command(sluice, ...rest)).ended;
    expect(closed.code).toBe(3);
    expect(closed.text).toContain(`${target.active} closed, 0 open`);
    const clients = await runProgram('redis-cli', ['-p', String(first.port), 'client', 'list']);
    expect(clients.trim().split('\n')).toHaveLength(1);
    expect(await targetOf(sluice)).toMatchObject({ adminState: 'draining', active: 0 });
    // New clients find the other one.
    await clientsOf(port, 4);
    expect((await targetOf(sluice)).active).toBe(0);
  });

  it('returns when the last client has left by itself, over a reload too', async () => {
    const echo = await startTcpEcho();
    onTestFinished(() => echo.close());
    const config = (retries: number) => `${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools: { web: { retries: ${retries}, targets: [{ address: "127.0.0.1:${echo.port}", name: a }] } }`;
    const sluice = await startSluice(config(1));
    const { port } = await sluice.address('in');
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write('x');
    await once(socket, 'data');
    const { ended } = await command(sluice, 'drain', 'web/a', '--deadline', 'off', '--wait');
    await sluice.event('drain_started');
    await sluice.writeConfig(config(2));
    sluice.signal('SIGHUP');
    await sluice.event('reload_applied');
    expect(await targetOf(sluice)).toMatchObject({
      active: 1,
      drain: { cause: 'operator', phase: 'waiting', deadline: null },
    });
    socket.end();
    expect(await ended).toMatchObject({
      code: 0,
      text: expect.stringMatching(/^web\/a drained after [\d.]+ s, 0 closed, 0 open$/),
    });
  });

  it('counts and closes UDP sessions', async () => {
    const [first, second] = await Promise.all([startUdpEcho(), startUdpEcho()]);
    onTestFinished(() => first.close());
    onTestFinished(() => second.close());
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", protocol: udp, pool: web } }
pools:
  web:
    targets: [{ address: "127.0.0.1:${first.port}", name: a }, "127.0.0.1:${second.port}"]
    policy: round_robin
    health: none`);
    const { port } = await sluice.address('in');
    const clients = Array.from({ length: 8 }, () => udpClient(port));
    for (const client of clients) await client.ask('x');
    const { active } = await targetOf(sluice);
    expect(active).toBeGreaterThan(0);
    const args = ['drain', 'web/a', '--deadline', '0s', '--close-over', '0s', '--wait'];
    const closed = await (await command(sluice, ...args)).ended;
    expect(closed.code).toBe(3);
    expect(closed.text).toContain(`${active} closed, 0 open`);
    for (const client of clients) await client.ask('y');
    expect((await targetOf(sluice)).active).toBe(0);
    expect((await targetOf(sluice, 1)).active).toBe(8);
  });

  it('says what it cannot do', async () => {
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools: { web: { targets: ["127.0.0.1:1"] } }`);
    const failures = [
      [['drain', 'web/z'], 1, 'there is no target "z" in a pool "web" (SLUICE_ADMIN_NAME)'],
      [['disable', 'web'], 2, 'web is not POOL/TARGET'],
      [['drain', 'web/x', '--deadline', 'soon'], 2, '--deadline: '],
      [['drain', 'web/x', '--close-over', 'off'], 2, '--close-over: '],
    ] as const;
    for (const [args, code, message] of failures) {
      const ended = await (await command(sluice, ...args)).ended;
      expect(ended).toMatchObject({ code, errors: expect.stringContaining(message) });
    }
    const nobody = await startSluice('', {
      args: ['enable', 'web/x', '--admin', 'unix:/nowhere/admin.sock'],
      waitReady: false,
    });
    expect(await nobody.exited).toMatchObject({ code: 1 });
    expect(nobody.stderr()).toContain('SLUICE_ADMIN_UNREACHABLE');
  });
});

describe.runIf(tools)('on_down', () => {
  it('close ends connections to a Redis that hangs, keep leaves them to go on later', async () => {
    const redis = await startRedis();
    const pool = (onDown: string) => `{ on_down: ${onDown}, targets: ["127.0.0.1:${redis.port}"],
    health: { type: redis, interval: 100ms, timeout: 100ms, fall: 2, rise: 1 } }`;
    const sluice = await startSluice(`${configHead}
listeners:
  kept: { bind: "127.0.0.1:0", pool: kept }
  closed: { bind: "127.0.0.1:0", pool: closed }
pools:
  kept: ${pool('keep')}
  closed: ${pool('close')}`);
    const [kept] = await clientsOf((await sluice.address('kept')).port, 1);
    const [closed] = await clientsOf((await sluice.address('closed')).port, 1);
    if (!kept || !closed) throw new Error('no clients');
    const gone = once(closed, 'close');
    redis.program.kill('SIGSTOP');
    const down = (pool: string) =>
      sluice.event(
        'target_health_changed',
        (line) => line.pool === pool && line.health === 'unhealthy',
      );
    await Promise.all([down('kept'), down('closed'), gone]);
    expect(await sluice.event('connections_closed')).toMatchObject({ active: 1 });
    expect(kept.destroyed).toBe(false);
    redis.program.kill('SIGCONT');
    expect(await ping(kept)).toBe('+PONG\r\n');
  });
});
