// What the admin API takes as a change of a target, from whom, and what it answers.
import { describe, expect, it } from 'vitest';
import type { TargetControl } from '../../../src/admin/admin-source.js';
import type { DrainOutcome } from '../../../src/model/drain.js';
import { fakeAdmin } from '../../support/fake-admin-source.js';

/** A name that has to be encoded to be one part of a path. */
const odd = 'unix:/run/a%2Fb?#.sock';

function setup({ outcome }: { outcome?: DrainOutcome } = {}) {
  const calls: unknown[] = [];
  const known = (pool: string, target: string) => pool === 'web' && target === odd;
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
  return { calls, ...fakeAdmin({ targets }) };
}

const pathOf = (verb: string, target = odd) =>
  `/api/v1/pools/web/targets/${encodeURIComponent(target)}/${verb}`;
const place = { pool: 'web', target: odd };
const verbs = ['enable', 'disable', 'drain'];

describe('enable and disable', () => {
  it('set the admin state of a target, whatever its name', async () => {
    const { calls, post } = setup();
    expect(await post(pathOf('disable'), {})).toMatchObject({
      status: 200,
      body: { ...place, adminState: 'disabled' },
    });
    expect(await post(pathOf('enable'), {}, 'application/json; charset=utf-8')).toMatchObject({
      status: 200,
      body: { ...place, adminState: 'enabled' },
    });
    expect(calls).toEqual([
      ['web', odd, 'disabled'],
      ['web', odd, 'enabled'],
    ]);
  });

  it('say which target there is not', async () => {
    const { post } = setup();
    expect(await post(pathOf('enable', 'z/y'), {})).toMatchObject({
      status: 404,
      body: { error: 'there is no target "z/y" in a pool "web"', code: 'SLUICE_ADMIN_NAME' },
    });
  });
});

describe('drain', () => {
  it('answers when the drain has begun, unless it is told to wait', async () => {
    const { calls, post } = setup();
    const answer = await post(pathOf('drain'), { deadlineMs: 5, closeOverMs: 7 });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ ...place, adminState: 'draining' });
    await post(pathOf('drain'), { deadlineMs: null });
    expect(calls).toEqual([
      ['web', odd, { deadlineMs: 5, closeOverMs: 7 }],
      ['web', odd, { deadlineMs: null }],
    ]);
  });

  it('told to wait answers with how it ended', async () => {
    const outcome = { result: 'closed', closed: 3, active: 0, durationMs: 30_000 } as const;
    const { post } = setup({ outcome });
    expect(await post(pathOf('drain'), { wait: true })).toMatchObject({
      status: 200,
      body: { ...place, adminState: 'draining', ...outcome },
    });
    expect(await post(pathOf('drain', 'z'), { wait: true })).toMatchObject({ status: 404 });
  });
});

describe('a change', () => {
  it.each([
    ['no JSON', '{', 400, 'the body is not JSON'],
    ['no body', '', 400, 'the body is not JSON'],
    ['no object', '[]', 400, 'the body: '],
    ['an unknown key', { force: true }, 400, 'the body: '],
    ['a key of every object', '{"__proto__": {"wait": true}}', 400, 'the body: '],
    ['a negative deadline', { deadlineMs: -1 }, 400, 'deadlineMs: '],
    ['half a millisecond', { closeOverMs: 0.5 }, 400, 'closeOverMs: '],
    ['too much', { wait: 'x'.repeat(20_000) }, 413, 'more than 16384 bytes'],
  ])('is refused with %s', async (_name, body, status, message) => {
    const { calls, post } = setup();
    const answer = await post(pathOf('drain'), body);
    expect(answer).toMatchObject({ status, body: { code: 'SLUICE_ADMIN_REQUEST' } });
    expect(String(answer.body.error)).toContain(message);
    expect(calls).toEqual([]);
  });

  it('is refused in a form that a web page could send unasked', async () => {
    const { calls, post } = setup();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
      for (const verb of verbs) {
        const answer = await post(pathOf(verb), {}, type);
        expect(answer).toMatchObject({ status: 415, body: { code: 'SLUICE_ADMIN_REQUEST' } });
      }
    }
    expect(calls).toEqual([]);
  });
});
