// Questions to workers: one at a time, in order, and none without an end.
import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/engine/command-ring.js';
import {
  ExplainDesk,
  explainQueueMax,
  explainTimeoutMs,
} from '../../../src/engine/explain-desk.js';
import { SluiceError } from '../../../src/errors.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { forecastOf } from '../../support/forecasts.js';

/** Workers that the test plays: what they were sent, and what their areas say. */
function start(workers = 2) {
  const clock = new FakeClock();
  const sent = Array.from({ length: workers }, (): Command[] => []);
  const ids = sent.map(() => 0);
  let changes = 0;
  const desk = new ExplainDesk(
    clock,
    sent.map((commands, worker) => ({
      commands: { send: (command) => void commands.push(command) },
      area: {
        id: () => ids[worker] ?? 0,
        read: () => forecastOf({ generation: ids[worker] ?? 0 }),
      },
    })),
    () => void changes++,
  );
  const idOf = (worker: number, question: number) => Number(sent[worker]?.[question]?.id);
  return {
    clock,
    desk,
    sent,
    idOf,
    changes: () => changes,
    /** The worker writes its answer; `ring` is false when its bell is lost. */
    answer(worker: number, question: number, ring = true) {
      ids[worker] = idOf(worker, question);
      if (ring) desk.answered(worker, idOf(worker, question));
    },
  };
}

const question = (slot: number): Command => ({ slot });

describe('questions', () => {
  it('go to the worker that they name, and the answer of its area comes back', async () => {
    const { desk, sent, answer, idOf, clock } = start();
    const asked = desk.ask(1, question(5));
    expect(sent[0]).toEqual([]);
    expect(sent[1]).toEqual([{ slot: 5, id: idOf(1, 0) }]);
    expect(desk.awaited).toBe(true);
    answer(1, 0);
    expect(await asked).toMatchObject({ generation: idOf(1, 0) });
    expect(desk.awaited).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('wait for each other at one worker, and not for those of another', async () => {
    const { desk, sent, answer, idOf } = start();
    const asked = [desk.ask(0, question(1)), desk.ask(0, question(2)), desk.ask(1, question(3))];
    expect([sent[0]?.length, sent[1]?.length]).toEqual([1, 1]);
    answer(1, 0);
    await asked[2];
    expect(sent[0]).toHaveLength(1);
    answer(0, 0);
    answer(0, 1);
    expect(await asked[0]).toMatchObject({ generation: idOf(0, 0) });
    expect(await asked[1]).toMatchObject({ generation: idOf(0, 1) });
  });

  it('to a worker that does not exist are a mistake of ours', () => {
    expect(() => start(1).desk.ask(1, question(0))).toThrow(RangeError);
  });

  it('beyond a bound are turned away', async () => {
    const { desk } = start();
    const asked = Array.from({ length: explainQueueMax + 1 }, () => desk.ask(0, question(0)));
    await expect(desk.ask(0, question(0))).rejects.toMatchObject({ code: 'SLUICE_EXPLAIN_BUSY' });
    desk.close(new SluiceError('SLUICE_ENGINE_CLOSED', 'closed'));
    const ends = await Promise.allSettled(asked);
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
    expect(desk.awaited).toBe(false);
  });
});

describe('time', () => {
  it('that passes without an answer is an error, for those who wait behind it, too', async () => {
    const { desk, clock, sent } = start();
    const asked = [desk.ask(0, question(1)), desk.ask(0, question(2))];
    const ends = Promise.allSettled(asked);
    await clock.advance(explainTimeoutMs - 1);
    expect(desk.awaited).toBe(true);
    await clock.advance(1);
    for (const end of await ends) {
      expect(end).toMatchObject({ reason: { code: 'SLUICE_EXPLAIN_TIMEOUT' } });
    }
    // The worker is not told more while it owes an answer.
    expect(sent[0]).toHaveLength(1);
    await expect(desk.ask(0, question(3))).rejects.toMatchObject({
      code: 'SLUICE_EXPLAIN_TIMEOUT',
    });
    expect(sent[0]).toHaveLength(1);
  });

  it('finds an answer whose bell was lost', async () => {
    const { desk, clock, answer, idOf } = start();
    const asked = desk.ask(0, question(1));
    answer(0, 0, false);
    await clock.advance(explainTimeoutMs);
    expect(await asked).toMatchObject({ generation: idOf(0, 0) });
  });

  it('does not mix a late answer with the next question', async () => {
    const { desk, clock, answer, idOf, sent } = start();
    const first = desk.ask(0, question(1));
    const ended = expect(first).rejects.toMatchObject({ code: 'SLUICE_EXPLAIN_TIMEOUT' });
    await clock.advance(explainTimeoutMs);
    await ended;
    answer(0, 0);
    const second = desk.ask(0, question(2));
    expect(sent[0]).toHaveLength(2);
    // Its bell comes late, too.
    desk.answered(0, idOf(0, 0));
    await settle();
    expect(desk.awaited).toBe(true);
    answer(0, 1);
    expect(await second).toMatchObject({ generation: idOf(0, 1) });
  });
});
