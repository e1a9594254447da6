// The real addon on loopback: bytes and datagrams through it, and counters that tell the truth.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { plainRetries } from '../../src/model/retry.js';
import { type EchoTarget, startTcpEcho, startUdpEcho } from '../support/echo-target.js';
import { type EngineHarness, startEngineHarness } from '../support/engine-harness.js';
import { connectScripted, startScriptedPeer } from '../support/scripted-peer.js';
import { track } from '../support/track.js';
import { waitFor } from '../support/wait-for.js';

function counter(counters: ReadonlyMap<string, number>, name: string): number {
  const value = counters.get(name);
  if (value === undefined) throw new Error(`no counter ${name}`);
  return value;
}

async function tcpEcho(): Promise<{ harness: EngineHarness; target: EchoTarget; port: number }> {
  const target = track(await startTcpEcho());
  const harness = track(startEngineHarness());
  await harness.apply({
    generation: 1,
    listeners: [{}],
    pools: [{ targets: [target.port] }],
  });
  return { harness, target, port: harness.port(0) };
}

/** Sends each datagram and waits for its echo before the next. */
async function udpEcho(port: number, datagrams: readonly Buffer[]): Promise<Buffer[]> {
  const socket = createSocket('udp4');
  const answers: Buffer[] = [];
  for (const datagram of datagrams) {
    const answered = once(socket, 'message');
    socket.send(datagram, port, '127.0.0.1');
    const [message] = (await answered) as [Buffer];
    answers.push(message);
  }
  socket.close();
  return answers;
}

describe('TCP through the addon', () => {
  it('echoes bytes, keeps half-close, and counts every byte that clients saw', async () => {
    const { harness, target, port } = await tcpEcho();
    const payload = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 31) & 0xff));
    const clients = 4;
    const results = await Promise.all(
      Array.from({ length: clients }, async () => {
        const client = await connectScripted(port);
        client.socket.end(payload);
        const result = await client.play([{ readToEnd: true }]);
        client.socket.destroy();
        return result;
      }),
    );
    for (const result of results) {
      expect(result.ended).toBe('fin');
      expect(result.received.equals(payload)).toBe(true);
    }
    await waitFor('the connections to end', () => harness.engine.counters.targetActive(0) === 0);
    const total = clients * payload.length;
    const listener = harness.engine.counters.listener(0);
    const targetRow = harness.engine.counters.target(0);
    expect(target.bytesReceived()).toBe(total);
    expect(counter(listener, 'to_target_bytes')).toBe(total);
    expect(counter(listener, 'to_client_bytes')).toBe(total);
    expect(counter(targetRow, 'to_target_bytes')).toBe(total);
    expect(counter(targetRow, 'to_client_bytes')).toBe(total);
    expect(counter(listener, 'connections_opened')).toBe(clients);
    expect(counter(listener, 'connections_closed')).toBe(clients);
    expect(harness.engine.counters.listenerActive(0)).toBe(0);
    const reasons = harness.engine.counters.listenerCloseReasons(0);
    expect(counter(reasons, 'client_closed')).toBe(clients);
    await waitFor('access records', () => harness.accessRecords.length === clients);
    for (const record of harness.accessRecords) {
      expect(record).toMatchObject({
        kind: 'connection',
        listenerSlot: 0,
        targetSlot: 0,
        clientIp: '127.0.0.1',
        reason: 'client_closed',
        toTargetBytes: payload.length,
        toClientBytes: payload.length,
      });
    }
  });

  it('closes the connections that a command names, for the reason closed_by_operator', async () => {
    const { harness, port } = await tcpEcho();
    const client = await connectScripted(port);
    await client.play([{ write: 'x' }, { read: 1 }]);
    harness.engine.closeConnections('target', 1);
    harness.engine.closeConnections('listener', 0);
    const { ended } = await client.play([{ readToEnd: true }]);
    expect(ended).not.toBe('open');
    await waitFor('the access record', () => harness.accessRecords[0]);
    expect(harness.accessRecords[0]?.reason).toBe('closed_by_operator');
    client.socket.destroy();
  });

  it('lets a client wait for the place of another, and tells how long in its record', async () => {
    const target = track(await startTcpEcho());
    const harness = track(startEngineHarness());
    const overrides = { queue: { max: 5, timeoutMs: 30_000 } };
    await harness.apply({
      generation: 1,
      listeners: [{}],
      pools: [{ targets: [target.port], maxConnections: 1, overrides }],
    });
    const first = await connectScripted(harness.port(0));
    await first.play([{ write: 'one' }, { read: 3 }]);
    const second = await connectScripted(harness.port(0));
    const begunMs = performance.now();
    const answered = second.play([{ write: 'two' }, { read: 3 }]);
    const waiting = () => counter(harness.engine.counters.listener(0), 'connections_waiting');
    await waitFor('the second to wait', () => waiting() === 1);
    await waitFor('a wait that shows', () => performance.now() - begunMs > 50);
    first.socket.destroy();
    expect((await answered).received.toString()).toBe('two');
    second.socket.destroy();
    await waitFor('both records', () => harness.accessRecords[1]);
    expect(harness.accessRecords[0]?.waitedMs).toBe(0);
    expect(harness.accessRecords[1]?.waitedMs).toBeGreaterThan(20);
    expect(counter(harness.engine.counters.listener(0), 'connections_queued')).toBe(1);
    expect(waiting()).toBe(0);
  });

  it('keeps what a retry budget has counted over a reload', async () => {
    const gone = await startScriptedPeer([]);
    await gone.close();
    const target = track(await startTcpEcho());
    const harness = track(startEngineHarness());
    const load = (generation: number, targets: readonly number[]) => {
      const retry = { ...plainRetries, budgetPercent: 50 };
      const overrides = { retries: 1, retry };
      return harness.apply({
        generation,
        listeners: [{}],
        pools: [{ policy: 'first', targets, overrides }],
      });
    };
    // One that is turned away may see the reset before it knows that it was accepted.
    const visit = async () => {
      const client = await connectScripted(harness.port(0)).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'ECONNRESET' });
        return null;
      });
      if (client === null) return false;
      const { received } = await client.play([{ write: 'x' }, { read: 1 }]);
      client.socket.destroy();
      return received.length === 1;
    };
    const listener = (name: string) => counter(harness.engine.counters.listener(0), name);
    await load(1, [target.port]);
    for (let i = 0; i < 20; i++) expect(await visit()).toBe(true);
    await load(2, [gone.port, target.port]);
    // The 20 that came before the reload are the budget of these.
    for (let i = 0; i < 10; i++) expect(await visit()).toBe(true);
    expect(listener('connect_retries')).toBe(10);
    expect(listener('connect_retries_refused')).toBe(0);
    await load(3, [gone.port, target.port]);
    const outcomes = [];
    for (let i = 0; i < 20; i++) outcomes.push(await visit());
    // Of 50 that have come half could be tried again.
    expect(outcomes.filter((served) => served)).toHaveLength(15);
    expect(listener('connect_retries')).toBe(25);
    await waitFor('the refusals', () => listener('connect_retries_refused') === 5);
    expect(counter(harness.engine.counters.listenerCloseReasons(0), 'connect_failed')).toBe(5);
  });

  it('reports a refused target as an event and goes on to the next', async () => {
    const gone = await startScriptedPeer([]);
    await gone.close();
    const target = track(await startTcpEcho());
    const harness = track(startEngineHarness());
    await harness.apply({
      generation: 1,
      listeners: [{}],
      pools: [{ targets: [gone.port, target.port] }],
    });
    // Each worker starts its rotation at a random place.
    await waitFor('the event', async () => {
      const client = await connectScripted(harness.port(0));
      const { received } = await client.play([{ write: 'retry' }, { read: 5 }]);
      expect(received.toString()).toBe('retry');
      client.socket.destroy();
      return harness.connectFailures[0];
    });
    expect(harness.connectFailures[0]).toEqual({
      targetSlot: 0,
      failure: 'refused',
      error: 'ECONNREFUSED',
    });
    expect(counter(harness.engine.counters.target(0), 'connect_refused')).toBeGreaterThan(0);
  });
});

describe('UDP through the addon', () => {
  it('echoes datagrams of every size and counts them', async () => {
    const target = track(await startUdpEcho());
    const harness = track(startEngineHarness());
    await harness.apply({
      generation: 1,
      listeners: [{ protocol: 'udp' }],
      pools: [{ targets: [target.port] }],
    });
    const datagrams = [0, 1, 1200, 9000, 65_507].map((bytes) => Buffer.alloc(bytes, 'd'));
    const answers = await udpEcho(harness.port(0), datagrams);
    expect(answers.map((answer) => answer.length)).toEqual(datagrams.map(({ length }) => length));
    const total = datagrams.reduce((sum, { length }) => sum + length, 0);
    await waitFor('the last answer to be counted', () => {
      const now = harness.engine.counters.target(0);
      return counter(now, 'to_client_datagrams') === datagrams.length;
    });
    const counted = harness.engine.counters.target(0);
    expect(counter(counted, 'to_target_datagrams')).toBe(datagrams.length);
    expect(counter(counted, 'to_target_bytes')).toBe(total);
    expect(counter(counted, 'to_client_bytes')).toBe(total);
    expect(counter(counted, 'sessions_opened')).toBe(1);
    harness.engine.closeConnections('all', 0);
    await waitFor('the session to be closed', () => harness.accessRecords[0]);
    expect(harness.accessRecords[0]).toMatchObject({
      kind: 'session',
      reason: 'closed_by_operator',
      toTargetBytes: total,
    });
    expect(counter(harness.engine.counters.listener(0), 'sessions_closed')).toBe(1);
  });

  it('reports a port that nobody listens on as unreachable', async () => {
    const gone = await startUdpEcho();
    await gone.close();
    const harness = track(startEngineHarness());
    await harness.apply({
      generation: 1,
      listeners: [{ protocol: 'udp' }],
      pools: [{ targets: [gone.port] }],
    });
    const socket = createSocket('udp4');
    await waitFor('the event', () => {
      socket.send('?', harness.port(0), '127.0.0.1');
      return harness.unreachable[0];
    });
    socket.close();
    expect(harness.unreachable[0]).toEqual({ targetSlot: 0, error: 'ECONNREFUSED' });
  });
});

describe('ping through the addon', () => {
  it('measures the way to loopback, and says so when it is not permitted', async () => {
    const harness = track(startEngineHarness({ workers: 1 }));
    const address = { family: 'ipv4', bytes: Uint8Array.of(127, 0, 0, 1), scopeId: 0 } as const;
    const { outcome, latencyMs } = await harness.engine.ping(address, 5000);
    expect(['answered', 'not_permitted']).toContain(outcome);
    expect(latencyMs).toBeLessThan(5000);
  });
});
