// Events as they go over the wire, to how many, and what becomes of those who do not read.
import { describe, expect, it } from 'vitest';
import { EventStreams } from '../../../src/admin/event-streams.js';
import { EventFeed } from '../../../src/log/event-feed.js';
import { FakeClock } from '../../support/fake-clock.js';
import { createRecordingLogger } from '../../support/recording-logger.js';

function setup(options: { clientsMax?: number; queueBytesMax?: number; keptMax?: number } = {}) {
  const clock = new FakeClock();
  const { keptMax = 100, ...bounds } = options;
  const feed = new EventFeed({ clock, log: createRecordingLogger(), run: 'r', keptMax });
  const streams = new EventStreams({ clock, feed, ...bounds });
  const open = (lastId?: string) => {
    const stream = streams.open(lastId, () => void reader.cancel());
    if (stream === null) throw new Error('refused');
    const reader = stream.getReader();
    const decoder = new TextDecoder();
    return {
      /** The next chunk. */
      read: async () => {
        const { value, done } = await reader.read();
        return done ? null : decoder.decode(value);
      },
      cancel: () => reader.cancel(),
    };
  };
  const event = (worker: number) => feed.event('accept_paused', { worker });
  return { clock, feed, streams, open, event };
}

const start = 'retry: 1000\n\n';
const message = (number: number, worker: number) =>
  `id: r-${number}\ndata: {"event":"accept_paused","time":"2030-01-01T00:00:00.000Z",` +
  `"level":"warn","worker":${worker}}\n\n`;

describe('a stream of events', () => {
  it('has each event from now on, with its id', async () => {
    const { open, event } = setup();
    event(1);
    const { read } = open();
    event(2);
    expect(await read()).toBe(start);
    expect(await read()).toBe(message(2, 2));
  });

  it('begins after the last event that the client saw', async () => {
    const { open, event } = setup();
    for (const worker of [1, 2, 3]) event(worker);
    const { read } = open('r-2');
    event(4);
    expect([await read(), await read(), await read()]).toEqual([
      start,
      message(3, 3),
      message(4, 4),
    ]);
  });

  it.each(['other-2', '0', ''])(
    'replays all that is kept after the id %j of another run',
    async (id) => {
      const { open, event } = setup();
      event(1);
      const { read } = open(id);
      expect([await read(), await read()]).toEqual([start, message(1, 1)]);
    },
  );

  it('says how many events are no longer kept', async () => {
    const { open, event } = setup({ keptMax: 2 });
    for (const worker of [1, 2, 3, 4]) event(worker);
    const { read } = open('r-1');
    expect(await read()).toBe(start);
    expect(await read()).toBe('data: {"event":"events_missed","count":1}\n\n');
    expect(await read()).toBe(message(3, 3));
  });

  it('replays no more than half of what may wait', async () => {
    const { open, event } = setup({ queueBytesMax: 6 * message(1, 1).length });
    for (let worker = 1; worker <= 9; worker++) event(worker);
    const { read } = open('r-0');
    expect(await read()).toBe(start);
    expect(await read()).toBe('data: {"event":"events_missed","count":6}\n\n');
    expect(await read()).toBe(message(7, 7));
  });

  it('says every ten seconds that the server is there', async () => {
    const { clock, open } = setup();
    const { read } = open();
    await read();
    await clock.advance(10_000);
    expect(await read()).toBe(': here\n\n');
  });

  it('is cut when its client does not read, and the others go on', async () => {
    const { streams, open, event } = setup({ queueBytesMax: 1000 });
    const slow = open();
    const quick = open();
    for (let worker = 1; worker <= 20; worker++) {
      event(worker);
      await quick.read();
    }
    expect(streams.clients).toBe(1);
    expect(await slow.read()).toBeNull();
    event(21);
    expect(await quick.read()).toContain('"worker":20');
    expect(await quick.read()).toContain('"worker":21');
  });

  it('is refused to more clients than there may be, until one leaves', async () => {
    const { streams, open } = setup({ clientsMax: 2 });
    const first = open();
    open();
    expect(() => open()).toThrow('refused');
    await first.cancel();
    open();
    expect(streams.clients).toBe(2);
  });

  it('ends after a reload, so that a revoked token follows nothing', async () => {
    const { feed, streams, open } = setup();
    const { read } = open();
    expect(await read()).toBe(start);
    feed.event('reload_applied', {
      generation: 2,
      listenersAdded: 0,
      listenersRemoved: 0,
      targetsAdded: 0,
      targetsRemoved: 0,
    });
    expect(await read()).toContain('"event":"reload_applied"');
    expect(await read()).toBeNull();
    expect(streams.clients).toBe(0);
  });

  it('ends with the server, which leaves no timer behind', async () => {
    const { clock, streams, open } = setup();
    const { read } = open();
    await read();
    streams.close();
    expect(await read()).toBeNull();
    expect(clock.pendingTimers).toBe(0);
    streams.close();
  });
});
