// Clients that wait: parked while a real Redis is away, queued while its one place is taken.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runProgram, startRedis } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const tools = requireTools('redis-server', 'redis-cli');

async function totals(sluice: SluiceProcess, name: string): Promise<number> {
  const { listeners } = await sluice.status();
  return listeners[0]?.totals[name] ?? 0;
}

/** Asks once over a connection of its own; what came, until the other side is silent for good. */
async function ask(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write('PING\r\n');
  return answerOf(socket);
}

async function answerOf(socket: Socket): Promise<string> {
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

describe.runIf(tools)('clients that wait', () => {
  it('are parked while Redis restarts, and none of them sees it', async () => {
    const redis = await startRedis();
    const sluice = await startSluice(`${configHead}
engine: { workers: 2 }
listeners: { redis: { bind: "127.0.0.1:0", pool: redis } }
pools:
  redis:
    targets: ["127.0.0.1:${redis.port}"]
    when_none_healthy: park
    health: { type: tcp, interval: 200ms, timeout: 100ms, fall: 2, rise: 2 }`);
    const { port } = await sluice.address('redis');
    expect(await ask(port)).toBe('+PONG\r\n');

    // From the first moment on: health has not noticed yet.
    redis.program.kill('SIGKILL');
    await once(redis.program, 'exit');
    const early = Array.from({ length: 50 }, () => ask(port));
    await sluice.event('target_health_changed', ({ health }) => health === 'unhealthy');
    const late = Array.from({ length: 50 }, () => ask(port));
    await waitFor(
      'all of them to wait',
      async () => (await totals(sluice, 'connections_waiting')) === 100,
    );
    await startRedis(redis.port);
    const answers = await Promise.all([...early, ...late]);
    expect(answers).toEqual(Array.from({ length: 100 }, () => '+PONG\r\n'));
    expect(await totals(sluice, 'connections_waiting')).toBe(0);
    const metrics = await (await sluice.admin('/metrics')).text();
    expect(metrics).toMatch(/^sluice_listener_connections_waiting\{listener="redis"[^}]*\} 0$/m);
    expect(metrics).toMatch(/^sluice_listener_connections_parked_total\{[^}]*\} [1-9]\d+$/m);
    expect(metrics).toMatch(/^sluice_listener_wait_seconds_total\{[^}]*\} [\d.e+-]+$/m);
  });

  it('get the one place of a Redis one after the other, hundreds of them', async () => {
    const redis = await startRedis();
    const sluice = await startSluice(`${configHead}
engine: { workers: 2 }
listeners: { redis: { bind: "127.0.0.1:0", pool: redis } }
pools:
  redis:
    targets: [{ address: "127.0.0.1:${redis.port}", max_connections: 1 }]
    queue: { max: 1000, timeout: 1m }
    health: { type: none }`);
    const { port } = await sluice.address('redis');
    const answers = await Promise.all(Array.from({ length: 300 }, () => ask(port)));
    expect(answers).toEqual(Array.from({ length: 300 }, () => '+PONG\r\n'));
    expect(await totals(sluice, 'connections_queued')).toBeGreaterThan(0);
    const info = await runProgram('redis-cli', ['-p', String(redis.port), 'info', 'stats']);
    expect(info).toMatch(/rejected_connections:0/);
    await waitFor('the end', async () => {
      const { listeners, pools } = await sluice.status();
      return listeners[0]?.active === 0 && pools[0]?.targets[0]?.active === 0;
    });
  });
});
