// What the admin API takes as a change of a target, from whom, and what it answers.
import { describe, expect, it } from 'vitest';
import { adminRoutes } from '../../../src/admin/routes.js';
import type { TargetControl } from '../../../src/admin/target-routes.js';
import type { DrainOutcome } from '../../../src/model/drain.js';

function setup({ trusted = true, outcome }: { trusted?: boolean; outcome?: DrainOutcome } = {}) {
  const calls: unknown[] = [];
  const known = (pool: string, target: string) => pool === 'web' && target === 'a/b';
  const targets: TargetControl = {
    setAdminState: async (...call) => {
      calls.push(call);
      return known(call[0], call[1]);
    },
    drain: async (...call) => {
      calls.push(call);
      if (!known(call[0], call[1])) return null;
      const never = new Promise<DrainOutcome>(() => undefined);
      return { finished: outcome ? Promise.resolve(outcome) : never };
    },
  };
  const app = adminRoutes(
    {
      build: { version: '1.2.3', nodeVersion: 'v20' },
      counters: { workerCounters: [], listenerCounters: [], targetCounters: [], poolCounters: [] },
      status: () => {
        throw new Error('not asked for here');
      },
      readiness: () => ({ ready: true, missing: [] }),
      targets,
    },
    true,
    trusted,
  );
  const post = async (path: string, body: unknown, type = 'application/json') => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { 'content-type': type, 'content-length': String(text.length) };
    const response = await app.request(path, { method: 'POST', headers, body: text });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { calls, post };
}

const place = { pool: 'web', target: 'a/b' };

describe('POST /targets/enable and /targets/disable', () => {
  it('set the admin state of a target', async () => {
    const { calls, post } = setup();
    expect(await post('/targets/disable', place)).toEqual({
      status: 200,
      body: { ...place, adminState: 'disabled' },
    });
    expect(await post('/targets/enable', place, 'application/json; charset=utf-8')).toEqual({
      status: 200,
      body: { ...place, adminState: 'enabled' },
    });
    expect(calls).toEqual([
      ['web', 'a/b', 'disabled'],
      ['web', 'a/b', 'enabled'],
    ]);
  });

  it('say which target there is not', async () => {
    const { post } = setup();
    expect(await post('/targets/enable', { pool: 'web', target: 'z' })).toEqual({
      status: 404,
      body: { error: 'there is no target "z" in a pool "web"', code: 'SLUICE_ADMIN_TARGET' },
    });
  });
});

describe('POST /targets/drain', () => {
  it('answers when the drain has begun, unless it is told to wait', async () => {
    const { calls, post } = setup();
    const answer = await post('/targets/drain', { ...place, deadlineMs: 5, closeOverMs: 7 });
    expect(answer).toEqual({ status: 200, body: { ...place, adminState: 'draining' } });
    await post('/targets/drain', { ...place, deadlineMs: null });
    expect(calls).toEqual([
      ['web', 'a/b', { deadlineMs: 5, closeOverMs: 7 }],
      ['web', 'a/b', { deadlineMs: null }],
    ]);
  });

  it('told to wait answers with how it ended', async () => {
    const outcome = { result: 'closed', closed: 3, active: 0, durationMs: 30_000 } as const;
    const { post } = setup({ outcome });
    expect(await post('/targets/drain', { ...place, wait: true })).toEqual({
      status: 200,
      body: { ...place, adminState: 'draining', ...outcome },
    });
    expect(await post('/targets/drain', { ...place, target: 'z', wait: true })).toMatchObject({
      status: 404,
    });
  });
});

describe('a change', () => {
  it.each([
    ['no JSON', '{', 'the body is not JSON'],
    ['no object', '[]', 'the body: '],
    ['no target', { pool: 'web' }, 'target: '],
    ['an unknown key', { ...place, force: true }, 'the body: '],
    ['a negative deadline', { ...place, deadlineMs: -1 }, 'deadlineMs: '],
    ['half a millisecond', { ...place, closeOverMs: 0.5 }, 'closeOverMs: '],
    ['too much', { ...place, target: 'x'.repeat(20_000) }, 'more than 16384 bytes'],
  ])('is refused with %s', async (_name, body, message) => {
    const { calls, post } = setup();
    const answer = await post('/targets/drain', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'SLUICE_ADMIN_REQUEST' } });
    expect(String(answer.body.error)).toContain(message);
    expect(calls).toEqual([]);
  });

  it('is refused in a form that a web page could send unasked', async () => {
    const { calls, post } = setup();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
      const answer = await post('/targets/disable', place, type);
      expect(answer).toMatchObject({ status: 415, body: { code: 'SLUICE_ADMIN_REQUEST' } });
    }
    expect(calls).toEqual([]);
  });

  it('is refused where other machines can reach the API', async () => {
    const { calls, post } = setup({ trusted: false });
    for (const path of ['/targets/enable', '/targets/disable', '/targets/drain']) {
      const answer = await post(path, place);
      expect(answer).toMatchObject({ status: 403, body: { code: 'SLUICE_ADMIN_REMOTE' } });
    }
    expect(calls).toEqual([]);
  });
});
