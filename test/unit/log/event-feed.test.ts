// What is fed to those who listen, and what is remembered for those who come back.
import { describe, expect, it } from 'vitest';
import { EventFeed } from '../../../src/log/event-feed.js';
import { FakeClock } from '../../support/fake-clock.js';
import { createRecordingLogger } from '../../support/recording-logger.js';

function setup(keptMax = 3) {
  const log = createRecordingLogger();
  const feed = new EventFeed({ clock: new FakeClock(), log, keptMax, run: 'r' });
  const accept = (worker: number) => feed.event('accept_paused', { worker });
  const workers = (number: number) => {
    const { events, missed } = feed.since(number);
    return { workers: events.map(({ fields }) => Object.values(fields)[0]), missed };
  };
  return { log, feed, accept, workers };
}

describe('an event feed', () => {
  it('logs everything, and hands on what concerns an operator with number, time and level', () => {
    const { log, feed } = setup();
    const heard: unknown[] = [];
    const end = feed.subscribe((event) => void heard.push(event));
    feed.event('accept_paused', { worker: 1 });
    feed.event('connect_failed', { pool: 'web', target: 'a', failure: 'refused', error: '' });
    feed.event('reload_refused', { reason: 'config_invalid', message: 'no' });
    end();
    feed.event('accept_paused', { worker: 2 });
    expect(log.events.map(({ name }) => name)).toEqual([
      'accept_paused',
      'connect_failed',
      'reload_refused',
      'accept_paused',
    ]);
    const time = new Date('2030-01-01T00:00:00Z');
    expect(heard).toEqual([
      { number: 1, time, name: 'accept_paused', level: 'warn', fields: { worker: 1 } },
      {
        number: 2,
        time,
        name: 'reload_refused',
        level: 'error',
        fields: { reason: 'config_invalid', message: 'no' },
      },
    ]);
  });

  it('remembers the last ones and says how many are gone', () => {
    const { accept, workers } = setup();
    for (let worker = 1; worker <= 5; worker++) accept(worker);
    expect(workers(0)).toEqual({ workers: [3, 4, 5], missed: 2 });
    expect(workers(1)).toEqual({ workers: [3, 4, 5], missed: 1 });
    expect(workers(3)).toEqual({ workers: [4, 5], missed: 0 });
    expect(workers(5)).toEqual({ workers: [], missed: 0 });
    expect(workers(99)).toEqual({ workers: [3, 4, 5], missed: 2 });
  });

  it('tells one run from the next by the time at which it began', async () => {
    const clock = new FakeClock();
    const run = () => new EventFeed({ clock, log: createRecordingLogger() }).run;
    const first = run();
    await clock.advance(1);
    expect(run()).not.toBe(first);
  });
});
