// The commands' reader of events, against real servers that stop, refuse and say nothing of use.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { EventStreams } from '../../src/admin/event-streams.js';
import { startAdminServer } from '../../src/admin/server.js';
import type { Fields } from '../../src/cli/answer-fields.js';
import { EventReader } from '../../src/cli/event-reader.js';
import type { SluiceError } from '../../src/errors.js';
import { EventFeed } from '../../src/log/event-feed.js';
import { adminSource } from '../support/fake-admin-source.js';
import { FakeClock } from '../support/fake-clock.js';
import { temporaryFolder } from '../support/real-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { waitFor } from '../support/wait-for.js';

/** A server of events at `path`, of a run of its own. */
async function serve(path: string, run: string) {
  const clock = new FakeClock();
  const feed = new EventFeed({ clock, log: createRecordingLogger(), run });
  const events = new EventStreams({ clock, feed });
  const server = await startAdminServer({ path }, adminSource({ events }));
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    events.close();
    closing ??= server.close();
    return closing;
  };
  onTestFinished(close);
  return { feed, events, close };
}

function readerOf(admin: string) {
  const clock = new FakeClock();
  const breaks: SluiceError[] = [];
  const reader = new EventReader({ admin, clock, onBreak: (error) => void breaks.push(error) });
  return { clock, breaks, reader };
}

async function allOf(events: AsyncIterable<Fields>): Promise<readonly Fields[]> {
  const all: Fields[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const workersOf = (events: readonly Fields[]) => events.map(({ worker }) => worker);

it('gives what is kept and what follows, over the end of a stream and of the server', async () => {
  const path = join(await temporaryFolder(), 'admin.sock');
  const first = await serve(path, 'first');
  first.feed.event('accept_paused', { worker: 1 });
  const { clock, breaks, reader } = readerOf(`unix:${path}`);
  const kept = await allOf(reader.kept());
  expect(kept).toEqual([expect.objectContaining({ event: 'accept_paused', worker: 1 })]);

  first.feed.event('accept_paused', { worker: 2 });
  const come: Fields[] = [];
  const events = reader.following();
  const reading = (async () => {
    for await (const event of events) come.push(event);
  })();
  await waitFor('what came between', () => come.length === 1);
  // Ends every stream, as a reload does.
  first.feed.event('reload_applied', { generation: 2, durationMs: 1 } as never);
  await waitFor('the reload', () => come.length === 2 && first.events.clients === 0);
  first.feed.event('accept_paused', { worker: 3 });
  await waitFor('it to wait', () => clock.pendingTimers === 1);
  await clock.advance(1000);
  await waitFor('what came after the end', () => come.length === 3);
  expect(breaks).toEqual([]);

  await first.close();
  for (let tries = 0; tries < 3; tries++) {
    await waitFor('it to wait', () => clock.pendingTimers === 1);
    await clock.advance(1000);
  }
  await waitFor('it to wait', () => clock.pendingTimers === 1);
  expect(breaks.map(({ code }) => code)).toEqual(['SLUICE_ADMIN_UNREACHABLE']);
  const second = await serve(path, 'second');
  second.feed.event('accept_paused', { worker: 4 });
  await clock.advance(1000);
  await waitFor('the next run', () => come.length === 4);
  expect(workersOf(come)).toEqual([2, undefined, 3, 4]);

  await second.close();
  await waitFor('it to see the end', () => clock.pendingTimers === 1);
  expect(breaks).toHaveLength(2);
  void reading;
});

it('tells each break, also when nothing has happened since the one before', async () => {
  const path = join(await temporaryFolder(), 'admin.sock');
  const { clock, breaks, reader } = readerOf(`unix:${path}`);
  void reader.following().next();
  for (const run of ['first', 'second']) {
    const told = breaks.length;
    await waitFor('it to wait', () => clock.pendingTimers === 1);
    expect(breaks).toHaveLength(told === 0 ? 1 : told);
    const server = await serve(path, run);
    await clock.advance(1000);
    await waitFor('a listener', () => server.events.clients === 1);
    await server.close();
    await waitFor('the next break', () => breaks.length === told + (told === 0 ? 2 : 1));
  }
});

it('says why it is refused, and does not come back', async () => {
  const answers = [
    { status: 401, body: { error: 'a token is needed', code: 'SLUICE_ADMIN_TOKEN' } },
    { status: 404, body: {} },
  ];
  const server = createServer((_, response) => {
    const { status = 500, body } = answers.shift() ?? {};
    response.statusCode = status;
    response.end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const admin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { clock, reader } = readerOf(admin);
  await expect(reader.following().next()).rejects.toMatchObject({
    code: 'SLUICE_ADMIN_TOKEN',
    message: `the admin API at ${admin}: a token is needed`,
  });
  await expect(reader.kept().next()).rejects.toMatchObject({ code: 'SLUICE_ADMIN_UNREACHABLE' });
  expect(clock.pendingTimers).toBe(0);
});

it('shows nothing of what is no event', async () => {
  const server = createServer((_, response) => {
    response.end('nonsense\n\nid: 1\ndata: [1]\n\ndata: {"event"\n\ndata: {"event":"ready"}\n\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { reader } = readerOf(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(await allOf(reader.kept())).toEqual([{}, {}, { event: 'ready' }]);
});
