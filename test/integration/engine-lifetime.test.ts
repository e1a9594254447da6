// The engine's threads and descriptors, whatever happens to the JavaScript side.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { startTcpEcho } from '../support/echo-target.js';
import { type EngineHarness, startEngineHarness } from '../support/engine-harness.js';
import { connectScripted } from '../support/scripted-peer.js';
import { track } from '../support/track.js';
import { waitFor } from '../support/wait-for.js';

function support(name: string): string {
  return fileURLToPath(new URL(`../support/${name}`, import.meta.url));
}

function engineThreads(): string[] {
  const names: string[] = [];
  for (const task of readdirSync('/proc/self/task')) {
    try {
      names.push(readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim());
    } catch {
      // The thread ended meanwhile.
    }
  }
  return names.filter((name) => name.startsWith('sluice-')).sort();
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

function start(workers: number): EngineHarness {
  return track(startEngineHarness({ workers }));
}

describe('starting an engine', () => {
  it('that the system cannot carry says why, and leaves nothing', () => {
    const before = descriptors();
    expect(() => startEngineHarness({ workers: 1000 })).toThrow(
      expect.objectContaining({
        code: 'SLUICE_ENGINE_START',
        message: expect.stringContaining('Invalid argument'),
      }),
    );
    expect(engineThreads()).toEqual([]);
    expect(descriptors()).toBe(before);
  });
});

describe('closing an engine', () => {
  it('leaves no thread and no descriptor, and its counters readable', async () => {
    // What Node opens once for itself must not count.
    await startEngineHarness().close();
    const before = descriptors();
    const first = start(2);
    const second = start(1);
    await first.apply({ generation: 1, listeners: [{}, {}], pools: [{ targets: [] }] });
    expect(engineThreads()).toEqual([
      'sluice-coord',
      'sluice-coord',
      'sluice-w0',
      'sluice-w0',
      'sluice-w1',
    ]);
    await Promise.all([first.close(), first.close(), second.close()]);
    expect(engineThreads()).toEqual([]);
    await waitFor('the descriptors to be closed', () => descriptors() <= before);
    expect(first.engine.counters.worker(0).get('loops')).toBeGreaterThan(0);
  });

  it('rejects what is asked afterwards, and what was not answered yet', async () => {
    const closing = start(2);
    const table = { generation: 1, listeners: [{}], pools: [{ targets: [] }] };
    const unanswered = closing.tryApply(table);
    const closed = closing.close();
    await expect(unanswered).rejects.toMatchObject({ code: 'SLUICE_ENGINE_CLOSED' });
    await closed;
    await expect(closing.tryApply(table)).rejects.toMatchObject({ code: 'SLUICE_ENGINE_CLOSED' });
    expect(() => closing.engine.closeConnections('all', 0)).not.toThrow();
  });

  it('tells of the connections that it cut', async () => {
    const target = track(await startTcpEcho());
    const held = start(2);
    await held.apply({ generation: 1, listeners: [{}], pools: [{ targets: [target.port] }] });
    const client = await connectScripted(held.port(0));
    await client.play([{ write: 'x' }, { read: 1 }]);
    await held.close();
    expect(held.accessRecords.map(({ reason }) => reason)).toEqual(['shutdown']);
    expect((await client.play([{ readToEnd: true }])).ended).not.toBe('open');
    client.socket.destroy();
  });
});

describe('an event loop that is blocked', () => {
  it('does not stop or slow forwarding', async () => {
    const harness = start(2);
    const path = join(tmpdir(), `sluice-echo-flow-${process.pid}`);
    await harness.apply({
      generation: 1,
      listeners: [{}],
      pools: [{ targets: [{ kind: 'unix', path }] }],
    });
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [support('echo-flow.mjs'), path, String(harness.port(0)), '2000'],
      { encoding: 'utf8', timeout: 20_000 },
    );
    expect(stderr).toBe('');
    const { roundTrips, longestGapMs } = JSON.parse(stdout) as {
      roundTrips: number;
      longestGapMs: number;
    };
    expect(roundTrips).toBeGreaterThan(500);
    expect(longestGapMs).toBeLessThan(1000);
  });

  it('loses events beyond the ring, and counts each of them', async () => {
    const harness = start(1);
    await harness.apply({ generation: 1, listeners: [{}], pools: [{ targets: [] }] });
    const connections = 4500;
    const { status } = spawnSync(
      process.execPath,
      [support('connection-churn.mjs'), String(harness.port(0)), String(connections)],
      { timeout: 60_000 },
    );
    expect(status).toBe(0);
    const { accessRecords, engine } = harness;
    const { counters } = engine;
    expect(counters.listener(0).get('connections_closed')).toBe(connections);
    expect(counters.eventsDropped()).toBe(connections - 4096);
    expect(counters.worker(0).get('events_dropped')).toBe(connections - 4096);
    await waitFor('the ring to be drained', () => accessRecords.length === 4096);
    expect(counters.listenerCloseReasons(0).get('no_target')).toBe(connections);
    expect(accessRecords[4095]?.reason).toBe('no_target');
  });
});

describe('an environment that ends', () => {
  it.each(['return', 'exit', 'stop', 'stop-and-exit'])('by %s takes its engine along', (how) => {
    const { status, signal, stderr } = spawnSync(
      process.execPath,
      [support('addon-host.mjs'), how],
      { encoding: 'utf8', timeout: 20_000 },
    );
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  });

  it.each(['stay', 'return', 'stop', 'stop-and-exit'])(
    'as a worker thread (%s) leaves no thread behind',
    async (how) => {
      for (let i = 0; i < 3; i++) {
        const worker = new Worker(support('addon-host.mjs'), { workerData: how });
        const failed = new Promise<never>((_, reject) => worker.once('error', reject));
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        if (how === 'stay') {
          await Promise.race([new Promise((resolve) => worker.once('message', resolve)), failed]);
          expect(engineThreads()).toHaveLength(3);
          await worker.terminate();
        }
        await Promise.race([ended, failed]);
        expect(engineThreads()).toEqual([]);
      }
    },
  );
});
