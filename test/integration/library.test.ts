// sluice inside another program: the same configuration, its own lifetime.
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLoadBalancer, type EventName, SluiceError } from '../../src/library.js';
import { type EchoTarget, startTcpEcho } from '../support/echo-target.js';
import { isAlive } from '../support/is-alive.js';
import { temporaryFolder } from '../support/real-server.js';
import { waitFor } from '../support/wait-for.js';

async function echo(greeting = ''): Promise<EchoTarget> {
  const target = await startTcpEcho({ greeting });
  onTestFinished(() => target.close());
  return target;
}

const configOf = (port: number) => ({
  admin: { listen: 'off' },
  listeners: { echo: { bind: '127.0.0.1:0', pool: 'echo' } },
  pools: { echo: { targets: [`127.0.0.1:${port}`], health: 'none' } },
});

async function ask(address: string, text: string): Promise<string> {
  const [host = '', port] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  await once(socket, 'connect');
  socket.end(text);
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    answer += chunk;
  });
  await once(socket, 'close');
  return answer;
}

describe('createLoadBalancer', () => {
  it('balances from an object, reloads, and leaves no thread or descriptor behind', async () => {
    const [first, second] = await Promise.all([echo('1 '), echo('2 ')]);
    const count = async (what: string) => (await readdir(`/proc/self/${what}`)).length;
    // The first use loads the addon and the resolver's threads, which stay.
    const warm = await createLoadBalancer({ config: configOf(first.port) });
    await warm.close();
    const before = { threads: await count('task'), descriptors: await count('fd') };

    const events: EventName[] = [];
    const balancer = await createLoadBalancer({
      config: configOf(first.port),
      logger: { event: (name) => events.push(name) },
    });
    const [address = ''] = balancer.addresses('echo');
    expect(await ask(address, 'a')).toBe('1 a');
    expect(await balancer.reload({ config: configOf(second.port) })).toMatchObject({
      applied: true,
    });
    expect(await ask(address, 'b')).toBe('2 b');
    expect(balancer.status().listeners[0]?.totals.connections_opened).toBe(2);
    await balancer.close();
    await balancer.close();
    expect(events).toContain('reload_applied');
    expect(await count('task')).toBe(before.threads);
    // The test's own client and target sockets close a moment later.
    await waitFor('no descriptor left', async () => (await count('fd')) <= before.descriptors);
  });

  it('explains the target that a client then gets, and changes nothing by it', async () => {
    const targets = await Promise.all([echo('1 '), echo('2 '), echo('3 ')]);
    const list = targets.map(({ port }, at) => ({
      address: `127.0.0.1:${port}`,
      name: String(at + 1),
    }));
    const { admin, listeners } = configOf(1);
    const balancer = await createLoadBalancer({
      config: {
        admin,
        listeners,
        pools: { echo: { targets: list, health: 'none' } },
        engine: { workers: 1 },
      },
    });
    onTestFinished(() => balancer.close());
    const [address = ''] = balancer.addresses('echo');
    const question = { listener: 'echo', client: '127.0.0.1' };
    for (let round = 0; round < 6; round++) {
      const told = await balancer.explain(question);
      expect(await balancer.explain({ ...question, worker: 0 })).toEqual(told);
      expect(told).toMatchObject({ pool: 'echo', policy: 'round_robin', outcome: 'picked' });
      expect(told.targets.filter(({ whyNot }) => whyNot === null)).toHaveLength(1);
      expect(await ask(address, 'x')).toBe(`${told.target} x`);
    }
  });

  it('explains nothing of what there is not', async () => {
    const balancer = await createLoadBalancer({
      config: { ...configOf((await echo()).port), engine: { workers: 1 } },
    });
    onTestFinished(() => balancer.close());
    const good = { listener: 'echo', client: '127.0.0.1' };
    const code = 'SLUICE_LIBRARY_EXPLAIN';
    for (const [bad, message] of [
      [{ listener: 'eco' }, /"eco"/],
      [{ client: 'nobody' }, /nobody/],
      [{ worker: 1 }, /worker 1/],
    ] as const) {
      const asked = balancer.explain({ ...good, ...bad });
      await expect(asked).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    }
    await balancer.close();
    await expect(balancer.explain(good)).rejects.toMatchObject({ code: 'SLUICE_ENGINE_CLOSED' });
  });

  it('runs several at once in one process', async () => {
    const [first, second] = await Promise.all([echo('1 '), echo('2 ')]);
    const balancers = await Promise.all(
      [first, second].map(({ port }) => createLoadBalancer({ config: configOf(port) })),
    );
    const answers = await Promise.all(
      balancers.map((balancer) => ask(balancer.addresses('echo')[0] ?? '', 'x')),
    );
    expect(answers).toEqual(['1 x', '2 x']);
    await Promise.all(balancers.map((balancer) => balancer.close()));
  });

  it('ends the programs of its probes with itself', async () => {
    const target = await echo();
    const file = join(await temporaryFolder(), 'pid');
    const script = `echo $$ > ${file}; exec sleep 1000`;
    const health = {
      type: 'exec',
      interval: '500ms',
      exec: { command: ['/bin/sh', '-c', script] },
    };
    const { listeners, pools, admin } = configOf(target.port);
    const balancer = await createLoadBalancer({
      config: { admin, listeners, pools: { echo: { ...pools.echo, health } } },
    });
    const readPid = async () => Number(await readFile(file, 'utf8').catch(() => ''));
    // The first probes are spread over an interval.
    await expect.poll(readPid, { timeout: 10_000 }).toBeGreaterThan(0);
    const pid = await readPid();
    expect(isAlive(pid)).toBe(true);
    await balancer.close();
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('throws every problem of a bad configuration with its place', async () => {
    const config = { ...configOf(1), listeners: { web: { bnid: '127.0.0.1:0', pool: 'eco' } } };
    const error = await createLoadBalancer({ config }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SluiceError);
    if (!(error instanceof SluiceError)) return;
    expect(error.code).toBe('SLUICE_LIBRARY_CONFIG');
    expect(error.message).toMatch(/\(config\):\d+:\d+ {2}listeners\.web\.bnid/);
    expect(error.context.problems).toHaveLength(2);
  });

  it('throws SLUICE_START_TABLE for a taken address, and keeps nothing', async () => {
    const target = await echo();
    const config = {
      ...configOf(target.port),
      listeners: { echo: { bind: `127.0.0.1:${target.port}`, pool: 'echo' } },
      pools: { echo: { targets: ['127.0.0.1:9'], health: 'none' } },
    };
    await expect(createLoadBalancer({ config })).rejects.toMatchObject({
      code: 'SLUICE_START_TABLE',
      context: { reason: 'address_in_use', listener: 'echo' },
    });
  });
});
