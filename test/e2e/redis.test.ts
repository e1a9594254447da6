// Redis behind sluice: the commands, the pipelines and the large values of a real client arrive
// unchanged, and a dead Redis is replaced before a client notices.
import { describe, expect, it } from 'vitest';
import { runProgram, startRedis } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, startSluice } from '../support/sluice-process.js';

const tools = requireTools('redis-server', 'redis-cli', 'redis-benchmark');

describe.runIf(tools)('redis behind sluice', () => {
  it('answers every request of redis-benchmark, plain and pipelined', async () => {
    const redis = await startRedis();
    const sluice = await startSluice(`${configHead}
listeners: { redis: { bind: "127.0.0.1:0", pool: redis } }
pools: { redis: { targets: ["127.0.0.1:${redis.port}"] } }`);
    const { port } = await sluice.address('redis');
    const common = ['-h', '127.0.0.1', '-p', String(port), '-c', '50', '--csv', '-t', 'set,get'];
    for (const extra of [
      ['-n', '20000'],
      ['-n', '100000', '-P', '32'],
    ]) {
      const table = await runProgram('redis-benchmark', [...common, ...extra]);
      expect(table).toMatch(/"SET","[\d.]+"/);
      expect(table).toMatch(/"GET","[\d.]+"/);
    }
    const info = await runProgram('redis-cli', ['-p', String(redis.port), 'info', 'commandstats']);
    const calls = (command: string) =>
      Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
    expect(calls('set')).toBe(120_000);
    expect(calls('get')).toBe(120_000);
  });

  it('carries a value of 64 MiB byte for byte, both ways', async () => {
    const redis = await startRedis();
    const sluice = await startSluice(`${configHead}
listeners: { redis: { bind: "127.0.0.1:0", pool: redis } }
pools: { redis: { targets: ["127.0.0.1:${redis.port}"] } }`);
    const { port } = await sluice.address('redis');
    const value = 'x'.repeat(64 * 1024 * 1024 - 4).concat('tail');
    const cli = (viaPort: number, args: readonly string[], input = '') =>
      runProgram('redis-cli', ['-p', String(viaPort), ...args], { input });
    await cli(port, ['-x', 'set', 'big'], value);
    expect((await cli(redis.port, ['get', 'big'])) === `${value}\n`).toBe(true);
    expect((await cli(port, ['get', 'big'])) === `${value}\n`).toBe(true);
  });

  it('sends new clients to the other Redis from the moment that one is killed', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    const sluice = await startSluice(`${configHead}
listeners: { redis: { bind: "127.0.0.1:0", pool: redis } }
pools:
  redis:
    targets: ["127.0.0.1:${first.port}", "127.0.0.1:${second.port}"]
    health: { type: tcp, interval: 200ms, timeout: 100ms, fall: 2, rise: 2 }`);
    const { port } = await sluice.address('redis');
    first.program.kill('SIGKILL');
    for (let request = 0; request < 20; request++) {
      expect((await runProgram('redis-cli', ['-p', String(port), 'ping'])).trim()).toBe('PONG');
    }
    const down = await sluice.event(
      'target_health_changed',
      ({ health }) => health === 'unhealthy',
    );
    expect(down).toMatchObject({ pool: 'redis', target: `127.0.0.1:${first.port}` });
  });
});
