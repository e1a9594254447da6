// Turns behind real servers: what sluice says of response times is what clients measure, and
// nothing is left waiting when the clients have gone.
import { describe, expect, it } from 'vitest';
import { runProgram, startRedis } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

async function targetOf(sluice: SluiceProcess) {
  const target = (await sluice.status()).pools[0]?.targets[0];
  if (target === undefined) throw new Error('no target');
  return target;
}

const tools = requireTools('redis-server', 'redis-cli', 'redis-benchmark');

describe.runIf(tools)('turns of redis behind sluice', () => {
  it('are counted one for each command, and as long as the client waits', async () => {
    const redis = await startRedis();
    const sluice = await startSluice(`${configHead}
listeners: { redis: { bind: "127.0.0.1:0", pool: redis } }
pools: { redis: { targets: ["127.0.0.1:${redis.port}"], health: { type: none } } }`);
    const { port } = await sluice.address('redis');
    const table = await runProgram('redis-benchmark', [
      ...['-h', '127.0.0.1', '-p', String(port), '-c', '1', '--csv', '-t', 'get'],
      ...['-n', '5000'],
    ]);
    // The client's median, in milliseconds, is the target's time and twice the way through sluice.
    const [header, values] = table
      .trim()
      .split('\n')
      .map((line) => line.split(',').map((cell) => cell.replaceAll('"', '')));
    const clientMs = Number(values?.[header?.indexOf('p50_latency_ms') ?? -1]);
    const { responses } = await targetOf(sluice);
    expect(responses.turns).toBeGreaterThanOrEqual(5000);
    expect(responses.turns).toBeLessThan(5050);
    expect(responses.p50Ms).toBeGreaterThan(0);
    // Buckets are a quarter wide.
    expect(responses.p50Ms).toBeLessThan(clientMs * 1.25 + 0.01);

    // A list that stays empty keeps its client waiting, and only it.
    const blocked = runProgram('redis-cli', ['-p', String(port), 'blpop', 'nothing', '0']);
    await waitFor('the turn', async () => (await targetOf(sluice)).activeTurns === 1);
    await runProgram('redis-cli', ['-p', String(port), 'lpush', 'nothing', 'something']);
    await blocked;
    await waitFor('the answer', async () => (await targetOf(sluice)).activeTurns === 0);
  });
});
