// Closing by the API: what is asked of the load balancer, what is answered, and what is logged.
import { expect, it } from 'vitest';
import { fakeAdmin } from '../../support/fake-admin-source.js';

const listener = '/api/v1/listeners/in/close';
const target = '/api/v1/pools/web/targets/a%2Fb/close';

function start(told: number | null) {
  const wishes: unknown[] = [];
  const events: unknown[][] = [];
  const { post } = fakeAdmin({
    log: { event: (...said) => void events.push(said) },
    connections: {
      close: (wish) => {
        wishes.push(wish);
        return told;
      },
    },
  });
  return { wishes, events, post };
}

it('names a listener or a target, answers how many, and is in the log of changes', async () => {
  const { wishes, events, post } = start(7);
  expect(await post(listener, {})).toMatchObject({ status: 200, body: { told: 7 } });
  expect(await post(target, {})).toMatchObject({ status: 200, body: { told: 7 } });
  expect(wishes).toEqual([{ listener: 'in' }, { pool: 'web', target: 'a/b' }]);
  expect(events).toMatchObject([
    ['admin_change', { operation: 'closeListenerConnections', status: 200 }],
    ['admin_change', { operation: 'closeTargetConnections', status: 200 }],
  ]);
});

it('is refused where there is no such listener or target', async () => {
  const { post } = start(null);
  for (const [path, error] of [
    [listener, 'there is no listener "in"'],
    [target, 'there is no target "a/b" in a pool "web"'],
  ] as const) {
    const { status, body } = await post(path, {});
    expect([status, body]).toEqual([404, { error, code: 'SLUICE_ADMIN_NAME' }]);
  }
});

it('takes nothing but an empty object, and closes nothing for anything else', async () => {
  const { wishes, post } = start(7);
  for (const body of [{ all: true }, '', '[]']) expect((await post(target, body)).status).toBe(400);
  expect(wishes).toEqual([]);
});
