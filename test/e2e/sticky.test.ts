// A sticky pool in a real process: what clients are remembered by survives reloads, and a target
// that takes no new clients keeps those it has.
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startTcpEcho } from '../support/echo-target.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';

const names = ['a', 'b', 'c'];
const clients = Array.from({ length: 12 }, (_, index) => `127.0.3.${index + 1}`);

async function targets(): Promise<ReadonlyMap<string, number>> {
  const started = await Promise.all(names.map((name) => startTcpEcho({ greeting: name })));
  onTestFinished(async () => {
    for (const target of started) await target.close();
  });
  return new Map(names.map((name, index) => [name, started[index]?.port ?? 0]));
}

async function reload(sluice: SluiceProcess, text: string): Promise<void> {
  const from = sluice.log.length;
  await sluice.writeConfig(text);
  sluice.signal('SIGHUP');
  await sluice.event('reload_applied', undefined, from);
}

async function askAll(port: number): Promise<ReadonlyMap<string, string>> {
  const answers = new Map<string, string>();
  for (const localAddress of clients) {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    const answer = await new Promise<string>((resolve, reject) => {
      socket.once('data', (data) => resolve(String(data)));
      socket.once('error', reject);
    });
    socket.destroy();
    answers.set(localAddress, answer);
  }
  return answers;
}

it('keeps clients where they are through reloads that add, weigh and remove targets', async () => {
  const ports = await targets();
  const config = (members: Readonly<Record<string, number>>, settings: string) => `${configHead}
engine: { workers: 2 }
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    sticky: ${settings}
    targets:
${Object.entries(members)
  .map(([name, weight]) => {
    return `      - { address: "127.0.0.1:${ports.get(name)}", name: ${name}, weight: ${weight} }`;
  })
  .join('\n')}
`;
  const sluice = await startSluice(config({ a: 1, b: 1 }, 'source'));
  const { port } = await sluice.address('in');
  const first = await askAll(port);
  expect(new Set(first.values())).toEqual(new Set(['a', 'b']));

  await reload(sluice, config({ c: 1, b: 1, a: 1 }, '{ by: source, capacity: 5000 }'));
  expect(await askAll(port)).toEqual(first);

  await reload(sluice, config({ c: 1, b: 1, a: 0 }, '{ by: source, capacity: 5000 }'));
  expect(await askAll(port)).toEqual(first);
  const { pools } = await sluice.status();
  expect(pools[0]?.sticky).toEqual({ entries: clients.length, capacity: 5000 });
  expect(pools[0]?.totals).toMatchObject({
    sticky_misses: clients.length,
    sticky_hits: 2 * clients.length,
    sticky_moves: 0,
  });

  const leave = '{ by: source, capacity: 5000, when_draining: repick }';
  await reload(sluice, config({ c: 1, b: 1, a: 0 }, leave));
  const second = await askAll(port);
  for (const [client, answer] of first) {
    if (answer === 'b') expect(second.get(client)).toBe('b');
    else expect(second.get(client)).not.toBe('a');
  }

  await reload(sluice, config({ c: 1 }, leave));
  expect(new Set((await askAll(port)).values())).toEqual(new Set(['c']));
  const metrics = await (await sluice.admin('/metrics')).text();
  expect(metrics).toContain(`sluice_pool_sticky_entries{pool="web"} ${clients.length}`);
  expect(metrics).toMatch(/sluice_pool_sticky_moves_total\{pool="web"\} [1-9]/);
});
