// What the admin API answers of history and events, and what it says when it cannot.
import { expect, it } from 'vitest';
import { EventStreams } from '../../../src/admin/event-streams.js';
import { EventFeed } from '../../../src/log/event-feed.js';
import { fakeAdmin } from '../../support/fake-admin-source.js';
import { FakeClock } from '../../support/fake-clock.js';
import { placed, setupHistory } from '../../support/fake-history.js';
import { createRecordingLogger } from '../../support/recording-logger.js';

const { keeper, targets, clock } = setupHistory({
  listeners: [{ name: 'in', slot: 0, protocol: 'tcp', pool: 'web', addresses: ['[::1]:80'] }],
  pools: [{ name: 'web', policy: 'round_robin', targets: [placed('a/b', 0)] }],
});
const { get } = fakeAdmin({ history: keeper });

it('a history is asked for by subject and window, names with slashes too', async () => {
  targets.at(0).opened += 4;
  await clock.advance(1000);
  const { status, body } = await get('/api/v1/history?subject=target%3Aweb%2Fa%2Fb');
  expect(status).toBe(200);
  expect(body).toMatchObject({ subject: 'target:web/a/b', window: '2m', openedPerSecond: [4] });
  expect((await get('/api/v1/history')).body).toMatchObject({ subject: 'total', window: '2m' });
  expect((await get('/api/v1/history?window=1h')).body).toMatchObject({ endMs: [] });
});

it('an overview has the version, whether sluice is ready, and the rates', async () => {
  const { body } = await get('/api/v1/overview');
  expect(body).toMatchObject({
    version: '1.2.3',
    ready: true,
    missing: [],
    fileRefused: false,
    pools: [{ name: 'web', targets: [{ name: 'a/b', standing: 'healthy' }] }],
  });
  keeper.close();
});

it('a subject that there is not, or that has no history of its own, is refused', async () => {
  expect(await get('/api/v1/history?subject=pool%3Ax')).toMatchObject({
    status: 404,
    body: { code: 'SLUICE_ADMIN_NAME', error: 'there is no "pool:x"' },
  });
  const full = fakeAdmin({ history: { read: () => 'not_kept', overview: () => never() } });
  expect(await full.get('/api/v1/history?subject=target%3Aweb%2Fa')).toMatchObject({
    status: 404,
    body: { error: 'too many targets: "target:web/a" has no history of its own' },
  });
  const bad = { status: 400, body: { code: 'SLUICE_ADMIN_REQUEST' } };
  for (const query of ['window=1d', 'window=2m&from=0', `subject=${'x'.repeat(1025)}`]) {
    expect(await get(`/api/v1/history?${query}`), query).toMatchObject(bad);
  }
});

function never(): never {
  throw new Error('nobody asked for it');
}

it('events are a stream that no cache keeps, and SLUICE_ADMIN_BUSY beyond its bound', async () => {
  const time = new FakeClock();
  const feed = new EventFeed({ clock: time, log: createRecordingLogger(), run: 'r' });
  const events = new EventStreams({ clock: time, feed, clientsMax: 1 });
  const { app } = fakeAdmin({ events });
  feed.event('accept_paused', { worker: 7 });
  const answer = await app.request('/api/v1/events', { headers: { 'last-event-id': '0' } });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('x-accel-buffering')).toBe('no');
  const second = await app.request('/api/v1/events');
  expect(second.status).toBe(503);
  expect(await second.json()).toMatchObject({ code: 'SLUICE_ADMIN_BUSY' });
  events.close();
  expect(await answer.text()).toContain('id: r-1\ndata: {"event":"accept_paused"');
});
