// GET explain: what is asked of the load balancer, and how what cannot be answered is refused.
import { expect, it } from 'vitest';
import type { ExplainAnswer, ExplainWish } from '../../../src/admin/admin-source.js';
import { type ErrorCode, SluiceError } from '../../../src/errors.js';
import { fakeAdmin } from '../../support/fake-admin-source.js';

function asking(answer: ExplainAnswer | Error) {
  const wishes: ExplainWish[] = [];
  const { get } = fakeAdmin({
    explain: async (wish) => {
      wishes.push(wish);
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { wishes, get: (query: string) => get(`/api/v1/listeners/in/explain${query}`) };
}

it('asks one worker or all, about the client as it is written', async () => {
  const explanation = { listener: 'in', target: 'a' } as never;
  const { wishes, get } = asking({ ok: true, explanation });
  expect((await get('?client=192.0.2.7')).body).toEqual({ listener: 'in', target: 'a' });
  await get('?client=%5B%3A%3A1%5D%3A4000&worker=1');
  expect(wishes).toEqual([
    { listener: 'in', client: '192.0.2.7', worker: null },
    { listener: 'in', client: '[::1]:4000', worker: 1 },
  ]);
});

it('refuses a question without a client, and parameters that it does not know', async () => {
  const { wishes, get } = asking(new Error('nobody is asked'));
  for (const query of [
    '',
    '?client=',
    '?client=::1&worker=x',
    '?client=::1&worker=-1',
    '?clint=1',
  ]) {
    const { status, body } = await get(query);
    expect([query, status, body.code]).toEqual([query, 400, 'SLUICE_ADMIN_REQUEST']);
  }
  expect(wishes).toEqual([]);
});

it('says which part of a question is wrong', async () => {
  const refusal = async (what: 'client' | 'listener' | 'worker') => {
    const { get } = asking({ ok: false, what, message: 'it is not' });
    const { status, body } = await get('?client=x');
    return [status, body.code, body.error];
  };
  expect(await refusal('client')).toEqual([400, 'SLUICE_ADMIN_REQUEST', 'client: it is not']);
  expect(await refusal('listener')).toEqual([404, 'SLUICE_ADMIN_NAME', 'it is not']);
  expect(await refusal('worker')).toEqual([404, 'SLUICE_ADMIN_NAME', 'it is not']);
});

it('passes on that a worker does not answer', async () => {
  const codes: readonly ErrorCode[] = [
    'SLUICE_EXPLAIN_TIMEOUT',
    'SLUICE_EXPLAIN_BUSY',
    'SLUICE_ENGINE_CLOSED',
  ];
  for (const code of codes) {
    const { status, body } = await asking(new SluiceError(code, 'not now')).get('?client=::1');
    expect([status, body]).toEqual([503, { error: 'not now', code }]);
  }
});
