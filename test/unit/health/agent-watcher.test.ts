// The watcher of agents with agents that a test plays, on a fake clock.
import { expect, it } from 'vitest';
import { readAgentAnswer } from '../../../src/health/agent-answer.js';
import { type AgentReport, AgentWatcher } from '../../../src/health/agent-watcher.js';
import type { AgentCheck, AgentWords } from '../../../src/model/agent.js';
import { targetKey } from '../../../src/model/target-key.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { at, pool, target } from '../../support/sample-config.js';

const check: AgentCheck = { port: 7777, intervalMs: 1000, timeoutMs: 500, send: null };
const a = target('a', { address: at('192.0.2.1') });
const b = target('b', { address: at('192.0.2.2') });

function setup(concurrency?: number) {
  const clock = new FakeClock();
  const reports: AgentReport[] = [];
  const asked: { readonly port: number; readonly last: number | undefined }[] = [];
  /** By the last byte of the address; null: no answer. */
  const lines = new Map<number, string | null>();
  let pending = 0;
  let pendingMax = 0;
  const watcher = new AgentWatcher({
    clock,
    random: () => 0,
    ask: ({ ip, port }) => {
      const last = ip.bytes[3];
      asked.push({ port, last });
      pendingMax = Math.max(pendingMax, ++pending);
      return new Promise<AgentWords | null>((resolve) => {
        clock.after(10, () => {
          pending--;
          const line = lines.get(last ?? 0) ?? null;
          resolve(line === null ? null : readAgentAnswer(line).words);
        });
      });
    },
    onReport: (report) => reports.push(report),
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  return { clock, watcher, reports, asked, lines, pendingMax: () => pendingMax };
}

const web = (agent: AgentCheck | null = check) => pool('web', [a, b], { agent });

it('asks at the port of the agents, and reports what is new', async () => {
  const { clock, watcher, reports, asked, lines } = setup();
  lines.set(1, '50%');
  watcher.update([web()], new Map());
  await clock.advance(3500);
  expect(new Set(asked.map(({ port }) => port))).toEqual(new Set([7777]));
  expect(asked.filter(({ last }) => last === 1)).toHaveLength(4);
  expect(reports.map(({ target: name, words }) => [name, words.weight?.value])).toEqual([
    ['a', 0.5],
  ]);
  lines.set(1, 'drain');
  await clock.advance(1500);
  expect(reports.slice(1).map(({ words }) => words)).toMatchObject([
    { weight: { kind: 'share', value: 0.5 }, adminState: 'draining' },
  ]);
  watcher.close();
  expect(clock.pendingTimers).toBe(0);
});

it('changes nothing when an agent is dead, and goes on asking', async () => {
  const { clock, watcher, reports, asked, lines } = setup();
  lines.set(1, 'down');
  watcher.update([web()], new Map());
  await clock.advance(1500);
  lines.set(1, null);
  const before = asked.length;
  await clock.advance(5000);
  expect(reports).toHaveLength(1);
  expect(asked.length).toBeGreaterThan(before + 4);
  expect([...watcher.words().values()].map(({ up }) => up)).toEqual([false, null]);
  watcher.close();
});

it('keeps what was said over a reload, and forgets it with the target or the agents', async () => {
  const { clock, watcher, lines } = setup();
  lines.set(1, 'maint');
  watcher.update([web()], new Map());
  await clock.advance(1500);
  const states = () => [...watcher.words().values()].map(({ adminState }) => adminState);
  watcher.update([web({ ...check, intervalMs: 5000 })], new Map());
  expect(states()).toEqual(['disabled', null]);
  watcher.update([web(null)], new Map());
  expect(states()).toEqual([]);
  watcher.update([web()], new Map());
  expect(states()).toEqual([null, null]);
  watcher.close();
});

it('keeps to its bound of questions at once, and reports nothing after its end', async () => {
  const { clock, watcher, reports, lines, pendingMax } = setup(1);
  lines.set(1, '10%');
  lines.set(2, '20%');
  watcher.update([web()], new Map());
  await clock.advance(5);
  watcher.close();
  await clock.advance(2000);
  await settle();
  expect(reports).toEqual([]);
  expect(pendingMax()).toBe(1);
});

it('holds to what an agent said to an earlier process until it says something else', async () => {
  const { clock, watcher, lines, reports } = setup();
  const key = targetKey('web', 'a', at('192.0.2.1'));
  const half = readAgentAnswer('50% drain').words;
  watcher.restore(new Map([[key, half]]));
  expect(watcher.words().get(key)).toEqual(half);
  watcher.update([web()], new Map());
  await clock.advance(2500);
  expect(watcher.words().get(key)).toEqual(half);
  lines.set(1, '50%');
  await clock.advance(1000);
  expect(reports).toEqual([]);
  lines.set(1, 'ready');
  await clock.advance(1000);
  expect(reports).toMatchObject([
    { target: 'a', words: { adminState: 'enabled', weight: { kind: 'share', value: 0.5 } } },
  ]);
  watcher.close();
});

it('forgets what an earlier process heard when the pool has agents no more', () => {
  const { watcher } = setup();
  const key = targetKey('web', 'gone', at('192.0.2.9'));
  watcher.restore(new Map([[key, readAgentAnswer('50%').words]]));
  watcher.update([web()], new Map());
  expect(watcher.words().has(key)).toBe(true);
  watcher.update([web(null)], new Map());
  expect(watcher.words().size).toBe(0);
});
