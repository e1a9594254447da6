// A failover of Redis as it happens: the primary dies, a replica is promoted, sluice follows; and
// what must not happen: a query that is cut because one check failed.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { onlyPick } from '../support/only-pick.js';
import { type RealServer, runProgram, startRedis } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const listOf = (targets: readonly RealServer[]) =>
  targets.map(({ port }) => `{ address: "127.0.0.1:${port}", name: "r${port}" }`).join(', ');

const config = (targets: readonly RealServer[]) => `${configHead}
listeners:
  write: { bind: "127.0.0.1:0", pool: primary }
  read: { bind: "127.0.0.1:0", pool: replicas }
pools:
  primary:
    role: primary
    role_confirm: 3
    targets: &redis [${listOf(targets)}]
    health: &health { type: redis, interval: 100ms, timeout: 50ms, fall: 3, rise: 1, jitter: 0 }
  replicas: { role: replica, targets: *redis, health: *health }`;

const cli = async (port: number, ...args: string[]) =>
  (await runProgram('redis-cli', ['-p', String(port), ...args])).trim();

/** A replica of `primary` that has its data. */
async function follow(replica: RealServer, primary: RealServer): Promise<void> {
  await cli(replica.port, 'replicaof', '127.0.0.1', String(primary.port));
  await waitFor(
    'the replica',
    async () => (await cli(replica.port, 'info', 'replication')).includes('master_link_status:up'),
    { timeoutMs: 15_000 },
  );
}

/** A client that stays connected, and what became of it. */
async function client({ host, port }: { host: string; port: number }) {
  const socket: Socket = connect(port, host);
  let closed = false;
  socket
    .on('error', () => undefined)
    .on('close', () => {
      closed = true;
    });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  const ask = async (command: string) => {
    socket.write(`${command}\r\n`);
    const [answer] = await once(socket, 'data');
    return String(answer).trim();
  };
  return { ask, isClosed: () => closed };
}

const isPicked = (sluice: SluiceProcess, pool: string, port: number) =>
  onlyPick(sluice, pool, `r${port}`, 15_000);

describe.runIf(requireTools('redis-server', 'redis-cli'))('a failover of Redis', () => {
  it('is followed when the primary dies and a replica is promoted', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    await follow(second, first);
    const sluice = await startSluice(config([first, second]));
    const write = await sluice.address('write');
    await isPicked(sluice, 'primary', first.port);
    await isPicked(sluice, 'replicas', second.port);
    expect(await cli(write.port, 'set', 'key', 'before')).toBe('OK');
    const read = await sluice.address('read');
    expect(await cli(read.port, 'role')).toMatch(/^slave/);
    await waitFor('the copy', async () => (await cli(read.port, 'get', 'key')) === 'before');

    first.program.kill('SIGKILL');
    await sluice.event('target_health_changed', (line) => {
      return line.pool === 'primary' && line.health === 'unhealthy';
    });
    await cli(second.port, 'replicaof', 'no', 'one');
    const changed = await sluice.event('primary_changed', (line) => line.previous !== '');
    expect(changed).toMatchObject({ target: `r${second.port}`, previous: `r${first.port}` });
    await isPicked(sluice, 'primary', second.port);
    expect(await cli(write.port, 'get', 'key')).toBe('before');
    expect(await cli(write.port, 'set', 'key', 'after')).toBe('OK');
  });

  it('that is planned cuts the old connections when the new primary is confirmed', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    await follow(second, first);
    const sluice = await startSluice(config([first, second]));
    await isPicked(sluice, 'primary', first.port);
    const old = await client(await sluice.address('write'));
    expect(await old.ask('set key 1')).toBe('+OK');
    await cli(second.port, 'replicaof', 'no', 'one');
    await cli(first.port, 'replicaof', '127.0.0.1', String(second.port));
    await waitFor('the cut', () => old.isClosed(), { timeoutMs: 15_000 });
    await isPicked(sluice, 'primary', second.port);
  });

  it('is not made of checks that fail: a client goes on while its primary hangs', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    await follow(second, first);
    const sluice = await startSluice(config([first, second]));
    await isPicked(sluice, 'primary', first.port);
    const patient = await client(await sluice.address('write'));
    expect(await patient.ask('set key 1')).toBe('+OK');
    // Hangs for longer than `fall` checks: unhealthy, and nobody else is the primary.
    first.program.kill('SIGSTOP');
    await sluice.event('target_health_changed', (line) => {
      return line.pool === 'primary' && line.health === 'unhealthy';
    });
    first.program.kill('SIGCONT');
    await isPicked(sluice, 'primary', first.port);
    expect(await patient.ask('get key')).toContain('1');
    expect(patient.isClosed()).toBe(false);
    expect(sluice.log.some(({ event }) => event === 'connections_closed')).toBe(false);
  });
});
