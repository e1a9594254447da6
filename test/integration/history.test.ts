// The history of a real engine: its sums are those of its counters, and the API has them.
import { expect, it } from 'vitest';
import { createLoadBalancer } from '../../src/library.js';
import type { History } from '../../src/model/history.js';
import { startTcpEcho } from '../support/echo-target.js';
import { startEngineHarness } from '../support/engine-harness.js';
import { connectScripted } from '../support/scripted-peer.js';
import { track } from '../support/track.js';
import { waitFor } from '../support/wait-for.js';

async function echo(port: number): Promise<void> {
  const client = await connectScripted(port);
  client.socket.end('hello');
  await client.play([{ readToEnd: true }]);
  client.socket.destroy();
}

it('sums of groups of counters are what the counters say, over all workers', async () => {
  const target = track(await startTcpEcho());
  const harness = track(startEngineHarness());
  await harness.apply({
    generation: 1,
    listeners: [{}],
    pools: [{ targets: [target.port] }],
  });
  for (let round = 0; round < 6; round++) await echo(harness.port(0));
  const { counters } = harness.engine;
  await waitFor('the last end', () => counters.targetActive(0) === 0);
  const sums = new Float64Array(2);
  counters.targetSums([['connections_opened', 'sessions_opened'], ['to_client_bytes']])(0, sums);
  expect([...sums]).toEqual([6, 30]);
  counters.listenerSums([['connections_opened'], ['to_target_bytes']])(0, sums);
  expect([...sums]).toEqual([6, 30]);
  expect(() => counters.targetSums([['no_such']])).toThrow(RangeError);
  expect(() => counters.listenerSums([[]])(-1, sums)).toThrow(RangeError);
});

it('turns read in place are those of the histogram, and are read once', async () => {
  const target = track(await startTcpEcho());
  const harness = track(startEngineHarness());
  await harness.apply({
    generation: 1,
    listeners: [{}],
    pools: [{ targets: [target.port] }],
  });
  for (let round = 0; round < 4; round++) await echo(harness.port(0));
  const { counters } = harness.engine;
  await waitFor('the last end', () => counters.targetActive(0) === 0);
  const { buckets, sum } = counters.targetResponses(0);
  const read = new Uint32Array(counters.responseBuckets + 1);
  expect(counters.readTargetResponses(0, read)).toBe(true);
  expect([...read]).toEqual([...buckets, sum]);
  expect(buckets.reduce((sum, count) => sum + count, 0)).toBe(4);
  expect(counters.readTargetResponses(0, read)).toBe(false);
});

it('connections are in the history of their listener, pool and target', async () => {
  const target = track(await startTcpEcho());
  const balancer = await createLoadBalancer({
    config: {
      admin: { listen: '127.0.0.1:0' },
      listeners: { in: { bind: '127.0.0.1:0', pool: 'web' } },
      pools: { web: { targets: [{ name: 'a', address: `127.0.0.1:${target.port}` }] } },
    },
  });
  track({ close: () => balancer.close({ drainTimeoutMs: 0 }) });
  const read = async (subject: string): Promise<History> =>
    (await (
      await fetch(`${balancer.adminAddress}/api/v1/history?subject=${subject}`)
    ).json()) as History;
  await waitFor('a first sample', async () => (await read('total')).endMs.length > 0);
  const [address = ''] = balancer.addresses('in');
  const client = await connectScripted(Number(address.split(':').at(-1)));
  for (const subject of ['total', 'listener:in', 'pool:web', 'target:web/a']) {
    const active = async () => (await read(subject)).active.includes(1);
    await waitFor(`the connection of ${subject}`, active, { timeoutMs: 20_000 });
    const { openedPerSecond } = await read(subject);
    expect(openedPerSecond.filter((rate) => (rate ?? 0) > 0)).toHaveLength(1);
  }
  const stands = async () => (await read('target:web/a')).standing?.at(-1) === 'healthy';
  await waitFor('its first good probe', stands, { timeoutMs: 20_000 });
  client.socket.destroy();
});
