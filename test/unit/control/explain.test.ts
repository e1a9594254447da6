// What a client would get and why: the workers' answers joined with what the control plane knows.
import { describe, expect, it } from 'vitest';
import { askExplanation } from '../../../src/control/ask-explanation.js';
import type { Explanation } from '../../../src/model/explanation.js';
import type { Forecast, ForecastOutcome } from '../../../src/model/forecast.js';
import { type PolicyName, policyNames } from '../../../src/model/policy.js';
import type { Pool } from '../../../src/model/pool.js';
import type { Target } from '../../../src/model/target.js';
import { a, b, c, setupController } from '../../support/controller-fixture.js';
import { settle } from '../../support/fake-clock.js';
import { forecastOf, noteOf } from '../../support/forecasts.js';
import {
  check,
  config,
  ip,
  listener,
  named,
  pool,
  sticky,
  target,
} from '../../support/sample-config.js';

const client = { ip: ip('192.0.2.7'), port: 4000 };

async function start(targets: readonly Target[], changes: Partial<Pool> = {}, udp = false) {
  const fixture = setupController();
  const { controller, engine, clock } = fixture;
  const protocol = udp ? 'udp' : 'tcp';
  const one = config(
    [listener('in', 'web', { protocol, maxConnections: 9 })],
    [pool('web', targets, changes)],
  );
  await controller.start(one);
  return {
    ...fixture,
    slot: (of: Target) => fixture.slots()[of.name] ?? -1,
    /** Until the workers have what has changed. */
    told: () => clock.advance(20),
    async explain(forecast: Partial<Forecast>, worker: number | null = 0, who = client) {
      engine.forecast = () => forecastOf({ generation: engine.table.generation, ...forecast });
      const answer = await askExplanation(engine, controller, {
        listener: 'in',
        client: who,
        worker,
      });
      if (answer === null) throw new Error('no such listener');
      return answer;
    },
  };
}

const whyNot = ({ targets }: Explanation) =>
  Object.fromEntries(targets.map(({ name, whyNot: why }) => [name, why?.text ?? 'picked']));
const kinds = ({ targets }: Explanation) => targets.map(({ whyNot: why }) => why?.kind ?? 'picked');

const d = target('d', { address: named('d.example') });

describe('a target that is no candidate', () => {
  it('is named with what keeps it out, the wishes of operators first', async () => {
    const off = target('off', { weight: 0 });
    const lost = target('lost');
    const f = await start([a, b, c, d, off, lost]);
    f.health(b, 'unhealthy');
    f.health(c, 'unhealthy');
    f.controller.setAdminState('web', 'c', 'draining');
    f.controller.setAdminState('web', 'lost', 'disabled');
    await f.told();
    const answer = await f.explain({ targetSlot: f.slot(a), candidates: [noteOf(f.slot(a))] });
    expect(kinds(answer)).toEqual([
      'picked',
      'unhealthy',
      'draining',
      'unresolved',
      'weight_zero',
      'disabled',
    ]);
    expect(whyNot(answer)).toMatchObject({
      b: 'unhealthy: refused',
      c: 'draining',
      d: 'its name is not resolved',
      off: 'its weight is 0',
    });
    expect(answer.reason).toBe('a: it is the only one that can take the client.');
    expect(answer.targets.map(({ candidate }) => candidate)).toEqual([
      true,
      ...Array(5).fill(false),
    ]);
    f.controller.close();
  });

  it('is one that no probe has found good yet, or whose agent has taken it out', async () => {
    const f = await start([a, b, c], { health: { ...check, initial: 'unhealthy' } });
    f.health(a, 'healthy');
    f.health(b, 'healthy');
    f.agents.set([...f.controller.beliefs().health.keys()][1] ?? '', {
      weight: null,
      maxConnections: null,
      adminState: null,
      up: false,
    });
    f.controller.lookAgain();
    await f.told();
    const answer = await f.explain({ targetSlot: f.slot(a), candidates: [noteOf(f.slot(a))] });
    expect(whyNot(answer)).toEqual({
      a: 'picked',
      b: 'unhealthy: its agent says so',
      c: 'unhealthy: no probe has been good yet',
    });
    f.controller.close();
  });

  it('is ejected, until when and why', async () => {
    const passive = { maxFails: 1, failTimeoutMs: 10_000, endOnProbe: false };
    const f = await start([a, b], { passive });
    f.controller.connectFailed(f.slot(b));
    await f.told();
    const answer = await f.explain({ targetSlot: f.slot(a), candidates: [noteOf(f.slot(a))] });
    expect(kinds(answer)).toEqual(['picked', 'ejected']);
    expect(whyNot(answer).b).toMatch(/^ejected until \d{4}-.*Z: max_fails$/);
    f.controller.close();
  });

  it('is of the wrong role', async () => {
    const f = await start([a, b], { role: 'replica' });
    const endpoint = a.address.kind === 'name' ? null : a.address;
    if (endpoint === null) throw new Error('a has an address');
    f.controller.setRole({ pool: 'web', target: 'a', endpoint, ok: true, role: 'primary' });
    await f.told();
    const none = { outcome: 'no_target', targetSlot: null, tier: null, candidates: [] } as const;
    const answer = await f.explain(none);
    expect(whyNot(answer)).toEqual({
      a: 'the pool is for a replica; this one is primary',
      b: 'the pool is for a replica; this one is unknown',
    });
    expect(answer.reason).toBe('none: no target of the pool can take clients; it is refused.');
    f.controller.close();
  });
});

describe('a candidate', () => {
  it('is full, or of a later tier, or not the one of the policy', async () => {
    const full = target('full', { maxConnections: 2 });
    const spare = target('spare', { backup: true });
    const f = await start([a, b, full, spare]);
    const answer = await f.explain({
      targetSlot: f.slot(b),
      candidates: [
        noteOf(f.slot(a), { score: 3.5 }),
        noteOf(f.slot(b), { score: 1, active: 4 }),
        noteOf(f.slot(full), { standing: 'full', active: 2, maxConnections: 2 }),
        noteOf(f.slot(spare), { tier: 1, standing: 'not_asked' }),
      ],
    });
    expect(whyNot(answer)).toEqual({
      a: 'round_robin takes b',
      b: 'picked',
      full: 'at its limit: 2 of 2',
      spare: 'those of priority 0 are asked first',
    });
    expect(kinds(answer)).toEqual(['policy', 'picked', 'full', 'later_tier']);
    expect(answer.reason).toBe(
      'b: it is next in the rotation of worker 0, among 2 of those of priority 0.',
    );
    expect(answer.targets[1]).toMatchObject({ picked: true, active: 4, score: 1, priority: 0 });
    expect(answer.targets[3]).toMatchObject({ candidate: true, priority: null });
    f.controller.close();
  });

  it('of an earlier tier waits where the pick begins with a later one, by its share', async () => {
    const low = target('low', { priority: 1 });
    const f = await start([a, b, low]);
    f.health(a, 'unhealthy');
    await f.told();
    const answer = await f.explain({
      targetSlot: f.slot(low),
      firstTier: 1,
      tier: 1,
      candidates: [noteOf(f.slot(b), { standing: 'not_asked' }), noteOf(f.slot(low), { tier: 1 })],
    });
    expect(whyNot(answer).b).toBe('those of priority 1 are asked first, by their share of 30 %');
    f.controller.close();
  });

  it('may be taken in panic, which is said', async () => {
    const f = await start([a], { whenNoneHealthy: 'use_all' });
    f.health(a, 'unhealthy');
    await f.told();
    const answer = await f.explain({ targetSlot: f.slot(a), candidates: [noteOf(f.slot(a))] });
    expect(answer).toMatchObject({ panic: true, target: 'a' });
    expect(kinds(answer)).toEqual(['picked']);
    f.controller.close();
  });
});

describe('what leads a client past the policy', () => {
  it('is its sticky entry, as far as that goes', async () => {
    const f = await start([a, b], { sticky });
    const entry = f.slot(b);
    const both = [noteOf(f.slot(a)), noteOf(entry)];
    const hit = await f.explain({
      targetSlot: entry,
      tier: null,
      candidates: [],
      sticky: { step: 'hit', targetSlot: entry },
    });
    expect(hit.reason).toBe("b: the client's sticky entry leads there.");
    expect(whyNot(hit).a).toBe("the client's sticky entry leads to b");
    expect(hit.sticky).toEqual({ step: 'hit', target: 'b' });
    expect(hit.notes).toEqual(['This holds on every worker, until the entry expires.']);

    const miss = await f.explain({ candidates: both, sticky: { step: 'miss', targetSlot: null } });
    expect(miss.notes.at(-1)).toBe('Once the client has come, its sticky entry decides.');

    const moved = async (step: 'moved_gone' | 'moved_down' | 'moved_full') => {
      const targetSlot = step === 'moved_gone' ? null : entry;
      const candidates = [noteOf(f.slot(a)), noteOf(entry, { standing: 'full' })];
      return (await f.explain({ candidates, sticky: { step, targetSlot } })).reason;
    };
    const only = 'it is the only one that can take the client.';
    expect(await moved('moved_gone')).toBe(
      `a: the pool no longer has the target of its sticky entry; ${only}`,
    );
    expect(await moved('moved_down')).toBe(
      `a: its sticky entry leads to b, which takes no clients now; ${only}`,
    );
    expect(await moved('moved_full')).toBe(
      `a: its sticky entry leads to b, which is full; ${only}`,
    );

    const refused = async (step: 'refused_down' | 'refused_full') => {
      const none = { outcome: 'no_target', targetSlot: null, tier: null, candidates: [] } as const;
      return await f.explain({ ...none, sticky: { step, targetSlot: entry } });
    };
    const down = await refused('refused_down');
    expect(down.reason).toBe(
      'none: its sticky entry leads to b, which is down, and sticky.when_down is refuse; ' +
        'it is refused.',
    );
    const full = await refused('refused_full');
    expect(full.reason).toContain('which is full');
    expect(kinds(full)).toEqual(['sticky', 'full']);
    f.controller.close();
  });

  it('is the session of a UDP client, also on a target that drains', async () => {
    const f = await start([a, b], {}, true);
    f.controller.setAdminState('web', 'b', 'draining');
    await f.told();
    const answer = await f.explain({
      outcome: 'session',
      targetSlot: f.slot(b),
      candidates: [noteOf(f.slot(a))],
    });
    expect(answer.reason).toBe('b: the client has a session there.');
    expect(kinds(answer)).toEqual(['session', 'picked']);
    f.controller.close();
  });
});

describe('without a target', () => {
  const reasons: Readonly<Record<Exclude<ForecastOutcome, 'picked' | 'session'>, string>> = {
    queued:
      'none now: others of the pool wait already; the client waits for a place, behind 3 others.',
    parked:
      'none now: others of the pool wait already; the client waits for a target, behind 3 others.',
    queue_full: 'none: 3 wait for a place, of 3; it is refused.',
    park_full: 'none: 3 wait for a target, of 4; it is refused.',
    no_target: 'none: every target is at its max_connections; it is refused.',
    listener_full: 'none now: the listener is at its limit, 9 of 9; the client waits.',
    worker_full: 'none: the worker is at engine.max_connections; the client is refused.',
    accept_paused:
      'none now: no descriptors are left, and the listener accepts nobody for a while.',
    unknown_listener: 'none: the listener is closed.',
  };

  it('it is said what becomes of the client', async () => {
    const queue = { max: 3, timeoutMs: 1000 };
    const f = await start([a], { queue, park: { max: 4, timeoutMs: 1000 } });
    for (const [outcome, reason] of Object.entries(reasons)) {
      const answer = await f.explain({
        outcome: outcome as ForecastOutcome,
        targetSlot: null,
        waiting: 3,
        listenerActive: 9,
      });
      expect(answer.reason).toBe(reason);
      expect(kinds(answer)).toEqual(['no_pick']);
    }
    f.controller.close();
  });

  it('a datagram is dropped', async () => {
    const f = await start([a], {}, true);
    const none = { targetSlot: null, listenerActive: 9 };
    expect((await f.explain({ ...none, outcome: 'no_target' })).reason).toContain('it is dropped');
    expect((await f.explain({ ...none, outcome: 'listener_full' })).reason).toContain('dropped');
    f.controller.close();
  });
});

describe('what an answer rests on', () => {
  const base = pool('x', []).policy;
  const answerFor = async (name: PolicyName, changes: Partial<Pool['policy']> = {}) => {
    const f = await start([a, b], { policy: { ...base, name, ...changes } }, true);
    const candidates = [noteOf(f.slot(a)), noteOf(f.slot(b))];
    const answer = await f.explain({ candidates }, 1, { ...client, port: 0 });
    f.controller.close();
    return answer;
  };

  it('is told for every policy: why this one, and for how long', async () => {
    for (const name of policyNames) {
      const { reason, notes } = await answerFor(name);
      expect(reason).toMatch(/^a: .+\.$/);
      expect(notes.some((note) => note.startsWith('This holds'))).toBe(true);
    }
    expect((await answerFor('random')).notes.join(' ')).toContain('each worker draws by itself');
    expect((await answerFor('least_connections')).scoreIs).toBe('(open + 1) / weight');
    expect((await answerFor('power_of_two', { load: 'turns' })).scoreIs).toMatch(/^waiting/);
    expect((await answerFor('maglev')).scoreIs).toBeNull();
    expect((await answerFor('maglev', { boundedLoad: 125 })).scoreIs).toContain('bounded_load');
  });

  it('are a port that nobody gave, and the address that the client comes to', async () => {
    const { notes } = await answerFor('maglev', { key: 'source_port' });
    expect(notes[0]).toContain('port 0 was taken');
    expect(notes[1]).toContain('no session was looked for');
    const [, to] = (await answerFor('maglev', { key: 'destination' })).notes;
    expect(to).toMatch(/^The client was taken to come to .+:\d+\.$/);
  });

  it('is how many sessions there are, when they are too many', async () => {
    const f = await start([a, b], {}, true);
    const { notes } = await f.explain({ sessionsUnseen: true });
    expect(notes).toContain('The worker has too many sessions to look for one of this client.');
    f.controller.close();
  });
});

describe('a question', () => {
  it('goes to the worker that it names, or to all of them', async () => {
    const f = await start([a, b]);
    const one = await f.explain({}, 1);
    expect(f.engine.explained.map(({ worker }) => worker)).toEqual([1]);
    expect(one.workers).toEqual([{ worker: 1, outcome: 'picked', target: 'a' }]);
    const all = await f.explain({}, null);
    expect(all.worker).toBe(0);
    expect(all.workers.map(({ worker }) => worker)).toEqual([0, 1]);
    f.controller.close();
  });

  it('about a listener that is not there has no answer', async () => {
    const f = await start([a]);
    expect(
      await askExplanation(f.engine, f.controller, { listener: 'x', client, worker: 0 }),
    ).toBeNull();
    expect(f.engine.explained).toEqual([]);
    f.controller.close();
  });

  it('is put again when a worker has a newer table than is known to be everywhere', async () => {
    const f = await start([a, b]);
    f.engine.forecast = () => forecastOf({ generation: 2 });
    const asked = askExplanation(f.engine, f.controller, { listener: 'in', client, worker: 0 });
    await settle();
    expect(f.engine.explained).toHaveLength(1);
    f.health(b, 'unhealthy');
    await f.told();
    expect(kinds((await asked) ?? expect.fail('no listener'))).toEqual(['picked', 'unhealthy']);
    expect(f.engine.explained).toHaveLength(2);
    f.controller.close();
  });

  it('ends when the tables do not', async () => {
    const f = await start([a]);
    f.engine.forecast = () => forecastOf({ generation: 0 });
    const asked = askExplanation(f.engine, f.controller, { listener: 'in', client, worker: 0 });
    await expect(asked).rejects.toMatchObject({ code: 'SLUICE_EXPLAIN_TIMEOUT' });
    f.controller.close();
  });
});
