// The wired load balancer under calls that overlap, as programs that embed it may make them.
import { expect, it, onTestFinished } from 'vitest';
import { startLoadBalancer } from '../../src/app/load-balancer.js';
import { systemClock } from '../../src/clock.js';
import { loadConfig } from '../../src/config/load.js';
import type { Config } from '../../src/model/config.js';
import { waitFor } from '../support/wait-for.js';

function configFor(host: string): Config {
  const text = `listeners: { web: { bind: "127.0.0.1:0", pool: web } }
pools: { web: { targets: ["${host}:80"], health: none } }
engine: { workers: 1, max_connections: 16 }`;
  const loaded = loadConfig(Buffer.from(text), 'test');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  return loaded.config;
}

/** Names that resolve when the test says so; `asked` has every lookup. */
function heldLookups(answered: ReadonlySet<string>) {
  const asked: string[] = [];
  const held: (() => void)[] = [];
  return {
    asked,
    release: () => {
      for (const answer of held.splice(0)) answer();
    },
    lookup: async (host: string) => {
      asked.push(host);
      if (!answered.has(host)) await new Promise<void>((resolve) => held.push(resolve));
      return [{ address: '127.0.0.1' }];
    },
  };
}

async function start(lookup: (host: string) => Promise<readonly { address: string }[]>) {
  const log = { event: () => undefined };
  const balancer = await startLoadBalancer(configFor('start.test'), {
    clock: systemClock(),
    log,
    lookup,
  });
  onTestFinished(() => balancer.close());
  return balancer;
}

it('keeps the names of every configuration that is on its way', async () => {
  const names = heldLookups(new Set(['start.test']));
  const balancer = await start(names.lookup);
  const reloads = [balancer.reload(configFor('a.test')), balancer.reload(configFor('b.test'))];
  await waitFor('both lookups', () => names.asked.length === 3);
  names.release();
  expect(await Promise.all(reloads)).toMatchObject([{ applied: true }, { applied: true }]);
  expect(names.asked).toEqual(['start.test', 'a.test', 'b.test']);
  expect(balancer.status().pools[0]?.targets[0]?.resolved).toBe('127.0.0.1:80');
});

it('starts nothing again when it is closed during a reload', async () => {
  const names = heldLookups(new Set(['start.test']));
  const balancer = await start(names.lookup);
  const reload = balancer.reload(configFor('a.test'));
  await waitFor('the lookup', () => names.asked.includes('a.test'));
  await balancer.close();
  names.release();
  expect(await reload).toMatchObject({ applied: false, reason: 'shutting_down' });
  expect(names.asked).toEqual(['start.test', 'a.test']);
});
