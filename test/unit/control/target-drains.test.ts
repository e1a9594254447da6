// TargetDrains: time, lots and outcomes, with an engine that a test plays.
import { describe, expect, it } from 'vitest';
import { TargetDrains } from '../../../src/control/target-drains.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeEngine } from '../../support/fake-engine.js';
import { createRecordingLogger } from '../../support/recording-logger.js';

const a = { key: 'a', pool: 'web', target: 'a', slot: 3 };
const rules = { deadlineMs: 1000, closeOverMs: 500 };

function setup() {
  const clock = new FakeClock();
  const engine = new FakeEngine();
  const log = createRecordingLogger();
  let changes = 0;
  const drains = new TargetDrains({ clock, engine, log, onChange: () => changes++ });
  return { clock, engine, log, drains, changes: () => changes };
}

describe('a drain', () => {
  it('is over when the last connection has ended by itself', async () => {
    const { clock, engine, drains, log } = setup();
    engine.setActive('target', 3, 2);
    const finished = drains.begin(a, rules, 'operator');
    await clock.advance(900);
    expect(drains.states().get('a')).toMatchObject({ phase: 'waiting', closed: 0 });
    engine.setActive('target', 3, 0);
    await clock.advance(100);
    expect(await finished).toEqual({ result: 'drained', closed: 0, active: 0, durationMs: 1000 });
    expect(engine.closed).toEqual([]);
    expect(engine.thinned).toEqual([]);
    expect(log.of('drain_started')).toEqual([
      { owner: 'target', name: 'web/a', active: 2, timeoutMs: 1000 },
    ]);
    expect(log.of('drain_finished')).toEqual([
      { owner: 'target', name: 'web/a', cut: 0, durationMs: 1000 },
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is over at once when nothing is open', async () => {
    const { clock, drains } = setup();
    expect(await drains.begin(a, rules, 'operator')).toMatchObject({ result: 'drained' });
    expect(drains.states().get('a')?.phase).toBe('finished');
    await clock.advance(100);
    expect(clock.pendingTimers).toBe(0);
  });

  it('closes from its deadline on by lots that get shorter, and all with the last', async () => {
    const { clock, engine, drains, log, changes } = setup();
    engine.setActive('target', 3, 50);
    const finished = drains.begin(a, rules, 'operator');
    await clock.advance(999);
    expect(engine.thinned).toEqual([]);
    expect(drains.closing()).toEqual(new Set());
    for (let tick = 0; tick < 4; tick++) {
      await clock.advance(tick === 0 ? 1 : 100);
      engine.endByOperator(3, 10);
    }
    expect(engine.thinned.map(({ oneIn }) => oneIn)).toEqual([5, 4, 3, 2]);
    expect(drains.states().get('a')).toMatchObject({ phase: 'closing', closed: 40 });
    expect(drains.closing()).toEqual(new Set(['a']));
    expect(changes()).toBe(1);
    expect(engine.closed).toEqual([]);
    await clock.advance(100);
    expect(engine.closed).toEqual([{ scope: 'target', slot: 3 }]);
    await clock.advance(100);
    expect(await finished).toEqual({ result: 'closed', closed: 50, active: 0, durationMs: 1500 });
    expect(log.of('connections_closed')).toEqual([{ owner: 'target', name: 'web/a', active: 50 }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('closes all at its deadline when it is to close over no time', async () => {
    const { clock, engine, drains } = setup();
    engine.setActive('target', 3, 5);
    const finished = drains.begin(a, { deadlineMs: 0, closeOverMs: 0 }, 'operator');
    expect(engine.closed).toEqual([{ scope: 'target', slot: 3 }]);
    await clock.advance(100);
    expect(await finished).toMatchObject({ result: 'closed', closed: 5 });
  });

  it('goes on closing what comes late, until nothing is left', async () => {
    const { clock, engine, drains } = setup();
    engine.setActive('target', 3, 5);
    const finished = drains.begin(a, { deadlineMs: 0, closeOverMs: 0 }, 'operator');
    engine.setActive('target', 3, 2);
    await clock.advance(100);
    expect(engine.closed).toHaveLength(2);
    await clock.advance(100);
    expect(await finished).toMatchObject({ result: 'closed', closed: 7 });
  });

  it('without a deadline closes nothing', async () => {
    const { clock, engine, drains } = setup();
    engine.setActive('target', 3, 1);
    const finished = drains.begin(a, { deadlineMs: null, closeOverMs: 0 }, 'operator');
    await clock.advance(60 * 60_000);
    expect(drains.states().get('a')).toMatchObject({ phase: 'waiting', deadline: null });
    engine.setActive('target', 3, 0);
    await clock.advance(100);
    expect(await finished).toMatchObject({ result: 'drained' });
  });

  it('asked for again takes the new rules, and both who wait hear of its end', async () => {
    const { clock, engine, drains } = setup();
    engine.setActive('target', 3, 1);
    const first = drains.begin(a, { deadlineMs: null, closeOverMs: 0 }, 'operator');
    await clock.advance(500);
    const second = drains.begin(a, { deadlineMs: 300, closeOverMs: 0 }, 'operator');
    await clock.advance(400);
    expect(await second).toEqual({ result: 'closed', closed: 1, active: 0, durationMs: 400 });
    expect(await first).toEqual(await second);
  });

  it('that is cancelled while it closes leaves what is open alone', async () => {
    const { clock, engine, drains, log, changes } = setup();
    engine.setActive('target', 3, 10);
    const finished = drains.begin(a, rules, 'operator');
    await clock.advance(1100);
    engine.endByOperator(3, 4);
    const lots = engine.thinned.length;
    drains.cancel('a', 'operator');
    expect(await finished).toEqual({ result: 'cancelled', closed: 4, active: 6, durationMs: 1100 });
    await clock.advance(5000);
    expect(engine.thinned).toHaveLength(lots);
    expect(engine.closed).toEqual([]);
    expect(drains.states().size).toBe(0);
    // Clients may stay on it again.
    expect(changes()).toBe(2);
    expect(log.of('drain_ended')).toMatchObject([{ result: 'cancelled', cut: 4, active: 6 }]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('of an operator is neither replaced nor cancelled because the target goes down', async () => {
    const { clock, engine, drains } = setup();
    engine.setActive('target', 3, 1);
    const finished = drains.begin(a, rules, 'operator');
    void drains.begin(a, { deadlineMs: 0, closeOverMs: 0 }, 'down');
    drains.cancel('a', 'down');
    expect(engine.closed).toEqual([]);
    expect(drains.states().get('a')).toMatchObject({ cause: 'operator', phase: 'waiting' });
    engine.setActive('target', 3, 0);
    await clock.advance(100);
    expect(await finished).toMatchObject({ result: 'drained' });
  });

  it('ends with its target, and with sluice', async () => {
    const { engine, drains, clock } = setup();
    engine.setActive('target', 3, 1);
    engine.setActive('target', 4, 1);
    const b = { ...a, key: 'b', target: 'b', slot: 4 };
    const first = drains.begin(a, rules, 'operator');
    const second = drains.begin(b, rules, 'operator');
    drains.follow([b]);
    expect(await first).toMatchObject({ result: 'removed', active: 1 });
    drains.close();
    expect(await second).toMatchObject({ result: 'stopped' });
    expect(await drains.begin(a, rules, 'operator')).toMatchObject({ result: 'stopped' });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a drain of an earlier process', () => {
  const since = new Date('2029-12-31T23:59:59.500Z');
  const record = { since, deadline: new Date('2030-01-01T00:00:00.500Z'), closeOverMs: 0 };

  it('goes on until its deadline, though nothing is open yet', async () => {
    const { clock, engine, drains, log, changes } = setup();
    drains.restore(new Map([['a', record]]));
    drains.follow([a]);
    expect(drains.states().get('a')).toMatchObject({ phase: 'waiting', since });
    expect(drains.records()).toEqual(new Map([['a', record]]));
    await clock.advance(400);
    expect(drains.closing()).toEqual(new Set());
    engine.setActive('target', 3, 2);
    await clock.advance(100);
    expect(engine.closed).toEqual([{ scope: 'target', slot: 3 }]);
    expect(drains.closing()).toEqual(new Set(['a']));
    expect(changes()).toBe(1);
    await clock.advance(100);
    expect(drains.states().get('a')?.phase).toBe('finished');
    expect(log.of('drain_started')).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('that is over keeps clients away from the first table on', async () => {
    const { clock, drains } = setup();
    await clock.advance(500);
    drains.restore(new Map([['a', record]]));
    expect(drains.closing()).toEqual(new Set(['a']));
    drains.follow([a]);
    await clock.advance(100);
    expect(drains.closing()).toEqual(new Set(['a']));
    expect(clock.pendingTimers).toBe(0);
  });

  it('without a deadline goes on for ever, and can be given up', async () => {
    const { clock, drains } = setup();
    drains.restore(new Map([['a', { ...record, deadline: null }]]));
    drains.follow([a]);
    await clock.advance(3_600_000);
    expect(drains.closing()).toEqual(new Set());
    drains.cancel('a', 'operator');
    expect(drains.records().size).toBe(0);
    await clock.advance(100);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is saved only where an operator had wished it', () => {
    const { engine, drains } = setup();
    engine.setActive('target', 3, 1);
    void drains.begin(a, rules, 'down');
    expect(drains.records().size).toBe(0);
    void drains.begin(a, rules, 'operator');
    expect(drains.records().get('a')).toMatchObject({ closeOverMs: 500 });
  });
});
