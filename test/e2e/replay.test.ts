// Listeners marked replay_safe, with the real process: targets that take connections and end them
// unheard are replaced, byte for byte, and no client notices.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { expectAtRest, restOf } from '../support/at-rest.js';
import { startTcpEcho } from '../support/echo-target.js';
import { runProgram, startRedis } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { connectScripted, startScriptedPeer } from '../support/scripted-peer.js';
import { drawFrom, testSeed } from '../support/seed.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { track } from '../support/track.js';
import { waitFor } from '../support/wait-for.js';

const tools = requireTools('redis-server', 'redis-cli');

async function totals(sluice: SluiceProcess): Promise<Readonly<Record<string, number>>> {
  const { listeners } = await sluice.status();
  return listeners[0]?.totals ?? {};
}

describe('a replay_safe listener', () => {
  it('echoes requests of random sizes although half of its targets drop them', async () => {
    const draw = drawFrom(testSeed());
    const drops = [
      track(await startScriptedPeer([{ reset: true }])),
      track(await startScriptedPeer([{ read: 1 }, { reset: true }])),
      track(await startScriptedPeer([{ read: 1 }, { end: true }, { readToEnd: true }])),
    ];
    const echoes = [track(await startTcpEcho()), track(await startTcpEcho())];
    const addresses = [...drops, ...echoes].map(({ port }) => `"127.0.0.1:${port}"`).join(', ');
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: out, replay_safe: true, access_log: true } }
pools: { out: { targets: [${addresses}], policy: random, health: none, retries: 4 } }`);
    const before = await restOf(sluice);
    const { port } = await sluice.address('in');
    const rounds = 60;
    for (let round = 0; round < rounds; round++) {
      const payload = randomBytes(1 + draw(16_384));
      const client = await connectScripted(port);
      const half = draw(2) === 0;
      const steps = half ? [{ end: true } as const] : [];
      const { received } = await client.play([
        { write: payload },
        ...steps,
        { read: payload.length },
      ]);
      expect(received.equals(payload)).toBe(true);
      client.socket.destroy();
    }
    const { replays = 0, connect_retries = 0 } = await totals(sluice);
    expect(replays).toBeGreaterThan(0);
    expect(connect_retries).toBeGreaterThanOrEqual(replays);
    const records = () => sluice.log.filter(({ event }) => event === 'connection_closed');
    await waitFor('the records', () => records().length === rounds);
    const told = records().reduce((sum, record) => sum + Number(record.replays), 0);
    expect(told).toBe(replays);
    await expectAtRest(sluice, before);
  });

  it('shows the client what happened once no target is left, and counts it', async () => {
    const drops = track(await startScriptedPeer([{ read: 4 }, { reset: true }]));
    const sluice = await startSluice(`${configHead}
listeners: { in: { bind: "127.0.0.1:0", pool: out, replay_safe: true } }
pools:
  out:
    targets: ["127.0.0.1:${drops.port}"]
    health: none
    retry: { to: same_first, backoff: { base: 10ms, max: 10ms } }`);
    const { port } = await sluice.address('in');
    const client = await connectScripted(port);
    const { ended } = await client.play([{ write: 'ping' }, { readToEnd: true }]);
    expect(ended).toBe('reset');
    expect(drops.results).toHaveLength(2);
    expect(await totals(sluice)).toMatchObject({ replays: 1, connect_retries: 1 });
    const { pools } = await sluice.status();
    expect(pools[0]?.targets[0]?.totals).toMatchObject({ ended_unanswered: 1, resets: 1 });
    const metrics = await (await sluice.admin('/metrics')).text();
    expect(metrics).toMatch(/^sluice_listener_replays_total\{[^}]*\} 1$/m);
    expect(metrics).toMatch(/^sluice_target_ended_unanswered_total\{[^}]*\} 1$/m);
  });
});

describe.runIf(tools)('a Redis that is stopped and started again', () => {
  it('costs no client its answer, whether it refuses or drops what comes', async () => {
    const [first, second] = [await startRedis(), await startRedis()];
    // As a Redis that is just stopping: it takes connections and ends them.
    const dropping = track(await startScriptedPeer([{ read: 1 }, { reset: true }]));
    const addresses = [dropping.port, first.port, second.port].map((at) => `"127.0.0.1:${at}"`);
    const sluice = await startSluice(`${configHead}
listeners: { redis: { bind: "127.0.0.1:0", pool: redis, replay_safe: true } }
pools: { redis: { targets: [${addresses.join(', ')}], health: none, retries: 2 } }`);
    const { port } = await sluice.address('redis');
    const ping = async () => (await runProgram('redis-cli', ['-p', String(port), 'ping'])).trim();
    for (let i = 0; i < 9; i++) expect(await ping()).toBe('PONG');
    const closed = once(first.program, 'close');
    first.program.kill('SIGTERM');
    await closed;
    for (let i = 0; i < 9; i++) expect(await ping()).toBe('PONG');
    await startRedis(first.port);
    for (let i = 0; i < 9; i++) expect(await ping()).toBe('PONG');
    const { replays = 0 } = await totals(sluice);
    expect(replays).toBeGreaterThan(0);
  });
});
