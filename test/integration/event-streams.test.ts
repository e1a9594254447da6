// Server-sent events over real sockets: replay, whoever does not read, and the end of the server.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { EventStreams } from '../../src/admin/event-streams.js';
import { startAdminServer } from '../../src/admin/server.js';
import { EventFeed } from '../../src/log/event-feed.js';
import { adminSource } from '../support/fake-admin-source.js';
import { FakeClock } from '../support/fake-clock.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { waitFor } from '../support/wait-for.js';

async function start() {
  const clock = new FakeClock();
  const feed = new EventFeed({ clock, log: createRecordingLogger(), run: 'r' });
  const events = new EventStreams({ clock, feed });
  const server = await startAdminServer({ host: '127.0.0.1', port: 0 }, adminSource({ events }));
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    events.close();
    closing ??= server.close();
    return closing;
  };
  onTestFinished(close);
  const open = async (lastId?: string) => {
    const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
    const asked = request(`${server.address}/api/v1/events`, { headers, agent: false });
    asked.on('error', () => undefined);
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    onTestFinished(() => void response.destroy());
    return response;
  };
  return { feed, events, address: server.address, open, close };
}

/** All that has come so far. */
function reading(response: IncomingMessage): () => string {
  let text = '';
  response.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return () => text;
}

it('events reach a client as they happen, and after a break from where it was', async () => {
  const { feed, open } = await start();
  const first = await open();
  const text = reading(first);
  feed.event('accept_paused', { worker: 1 });
  await waitFor('the first event', () => text().includes('id: r-1\n'));
  first.destroy();
  feed.event('accept_paused', { worker: 2 });
  const again = reading(await open('r-1'));
  feed.event('accept_paused', { worker: 3 });
  await waitFor('the last event', () => again().includes('id: r-3\n'));
  expect(again().match(/^id: .*$/gm)).toEqual(['id: r-2', 'id: r-3']);
});

it('times are told to the microsecond, as in the log', async () => {
  const { feed, address } = await start();
  feed.event('reload_applied', { durationMs: 3.0221809999998186 } as never);
  const text = await (await fetch(`${address}/api/v1/events?follow=false`)).text();
  expect(text).toContain('"durationMs":3.022}');
});

it('what is kept can be had alone: all of it, or what comes after one', async () => {
  const { feed, address } = await start();
  const read = async (headers: Readonly<Record<string, string>>) =>
    await (await fetch(`${address}/api/v1/events?follow=false`, { headers })).text();
  expect(await read({})).toBe('');
  for (const worker of [1, 2, 3]) feed.event('accept_paused', { worker });
  expect((await read({})).match(/^id: .*$/gm)).toEqual(['id: r-1', 'id: r-2', 'id: r-3']);
  expect((await read({ 'last-event-id': 'r-2' })).match(/^id: .*$/gm)).toEqual(['id: r-3']);
});

it('a client that does not read is cut, and one that reads misses nothing', async () => {
  const { feed, events, open } = await start();
  const slow = await open();
  slow.pause();
  const quick = reading(await open());
  expect(events.clients).toBe(2);
  // The kernel's buffers of both ends hold megabytes before anything waits here.
  const message = 'x'.repeat(100_000);
  let sent = 0;
  await waitFor(
    'the slow client to be cut',
    async () => {
      feed.event('reload_refused', { reason: 'config_invalid', message });
      sent++;
      await waitFor('the other', () => quick().includes(`id: r-${sent}\n`));
      return events.clients === 1;
    },
    { timeoutMs: 20_000 },
  );
  expect(quick().match(/^id: /gm)).toHaveLength(sent);
  // Its connection is gone, too, and not only what would have been sent.
  slow.resume();
  await waitFor('its end', () => slow.destroyed);
  expect(slow.complete).toBe(false);
});

it('a server that stops ends every stream', async () => {
  const { open, close } = await start();
  const response = await open();
  reading(response);
  await close();
  await waitFor('the end', () => response.destroyed || response.readableEnded);
});
