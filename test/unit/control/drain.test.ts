// Draining everything: the end by itself, the deadline, the second signal.
import { expect, it } from 'vitest';
import { startDrain } from '../../../src/control/drain.js';
import { FakeClock } from '../../support/fake-clock.js';
import { createRecordingLogger } from '../../support/recording-logger.js';

function setup(open: number, timeoutMs = 1000) {
  const clock = new FakeClock();
  const log = createRecordingLogger();
  const state = { open, closes: 0, obeys: true };
  const drain = startDrain({
    clock,
    log,
    timeoutMs,
    active: () => state.open,
    closeAll: () => {
      state.closes++;
      if (state.obeys) state.open = 0;
    },
  });
  return { clock, log, state, drain };
}

it('ends at once when nothing is open', async () => {
  const { clock, drain, state, log } = setup(0);
  expect(await drain.finished).toEqual({ cut: 0, durationMs: 0 });
  expect(state.closes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
  expect(log.events.map(({ name }) => name)).toEqual(['drain_started', 'drain_finished']);
});

it('ends soon after the last connection has ended by itself', async () => {
  const { clock, drain, state } = setup(3);
  await clock.advance(500);
  state.open = 0;
  await clock.advance(20);
  expect(await drain.finished).toEqual({ cut: 0, durationMs: 520 });
  expect(state.closes).toBe(0);
});

it('closes what is left at the deadline, and says how many', async () => {
  const { clock, drain, state, log } = setup(3);
  await clock.advance(999);
  expect(state.closes).toBe(0);
  await clock.advance(21);
  expect(await drain.finished).toEqual({ cut: 3, durationMs: 1020 });
  expect(state.closes).toBe(1);
  expect(log.of('connections_closed')).toEqual([{ owner: 'all', name: '', active: 3 }]);
});

it('closes at once with a timeout of 0, and when it is hurried, only once', async () => {
  const immediate = setup(2, 0);
  expect(immediate.state.closes).toBe(1);
  const { clock, drain, state } = setup(2);
  await clock.advance(100);
  drain.hurry();
  drain.hurry();
  await clock.advance(20);
  expect(await drain.finished).toEqual({ cut: 2, durationMs: 120 });
  drain.hurry();
  expect(state.closes).toBe(1);
});

it('gives up a second after closing what does not go', async () => {
  const { clock, drain, state } = setup(2);
  state.obeys = false;
  await clock.advance(2000);
  expect(await drain.finished).toEqual({ cut: 2, durationMs: 2000 });
  expect(clock.pendingTimers).toBe(0);
});
