// What the admin API tells of pools and of their targets: counts, pages, and names that are not.
import { describe, expect, it } from 'vitest';
import type { TargetStatus } from '../../../src/model/status.js';
import { fakeAdmin, poolStatus, statusOf, targetStatus } from '../../support/fake-admin-source.js';

const since = '2026-01-01T00:00:00.000Z';
const targets = [
  targetStatus('b', { active: 3, address: '192.0.2.7:80' }),
  targetStatus('a', { active: 5, health: 'unhealthy', eligible: false }),
  targetStatus('d', { adminState: 'draining', eligible: false, effectiveWeight: 9 }),
  targetStatus('c', { ejection: { reason: 'latency', since, until: since }, eligible: false }),
];
const { get } = fakeAdmin({ status: () => statusOf(poolStatus('web', targets)) });

async function names(query: string) {
  const { status, body } = await get(`/api/v1/pools/web/targets?${query}`);
  expect(status, JSON.stringify(body)).toBe(200);
  const page = (body.targets as TargetStatus[]).map(({ name }) => name).join('');
  return [body.total, page];
}

describe('pools', () => {
  it('are told with how many of their targets are what', async () => {
    const { body } = await get('/api/v1/pools/web');
    expect(body).toMatchObject({
      name: 'web',
      active: 8,
      targets: {
        configured: 4,
        eligible: 1,
        healthy: 3,
        unhealthy: 1,
        unknown: 0,
        draining: 1,
        disabled: 0,
        ejected: 1,
      },
    });
    expect((await get('/api/v1/pools')).body).toEqual({ pools: [body] });
  });
});

it('what is read of one pool or target asks for no more', async () => {
  const scopes: unknown[] = [];
  const admin = fakeAdmin({
    status: (scope) => {
      scopes.push(scope);
      return statusOf(poolStatus('web', targets));
    },
  });
  await admin.get('/api/v1/pools/web/targets/a');
  await admin.get('/api/v1/pools/web/targets?limit=1');
  await admin.get('/api/v1/pools/web');
  await admin.get('/api/v1/listeners');
  expect(scopes).toEqual([
    { pool: 'web', target: 'a' },
    { pool: 'web' },
    { pool: 'web' },
    'listeners',
  ]);
});

describe('targets of a pool', () => {
  it('come in the order of the file, or sorted', async () => {
    expect(await names('')).toEqual([4, 'badc']);
    expect(await names('sort=name')).toEqual([4, 'abcd']);
    expect(await names('sort=name&order=desc')).toEqual([4, 'dcba']);
    expect((await names('sort=active&order=desc'))[1]).toMatch(/^ab/);
    expect((await names('sort=weight'))[1]).toMatch(/d$/);
    expect(await names('sort=p99&order=desc')).toEqual([4, 'cdab']);
  });

  it('come in pages, with how many there are in all', async () => {
    expect(await names('sort=name&limit=3')).toEqual([4, 'abc']);
    expect(await names('sort=name&limit=3&offset=3')).toEqual([4, 'd']);
    expect(await names('offset=9')).toEqual([4, '']);
  });

  it('are filtered by what they are', async () => {
    expect(await names('health=unhealthy')).toEqual([1, 'a']);
    expect(await names('adminState=draining')).toEqual([1, 'd']);
    expect(await names('eligible=true')).toEqual([1, 'b']);
    expect(await names('eligible=false&limit=1')).toEqual([3, 'a']);
    expect(await names('search=192.0.2.7')).toEqual([1, 'b']);
    expect(await names('search=c')).toEqual([1, 'c']);
  });

  it.each(['limit=0', 'limit=1001', 'offset=-1', 'sort=colour', 'limit=many', 'page=1'])(
    'are not told for ?%s',
    async (query) => {
      const { status, body } = await get(`/api/v1/pools/web/targets?${query}`);
      expect(status).toBe(400);
      expect(body.code).toBe('SLUICE_ADMIN_REQUEST');
    },
  );
});

it.each([
  ['/api/v1/pools/x', 'there is no pool "x"'],
  ['/api/v1/pools/x/targets', 'there is no pool "x"'],
  ['/api/v1/pools/x/targets/a', 'there is no target "a" in a pool "x"'],
  ['/api/v1/pools/web/targets/x%2Fy', 'there is no target "x/y" in a pool "web"'],
  ['/api/v1/pools/web/targets/%E0%A4', 'there is no target "%E0%A4" in a pool "web"'],
  ['/api/v1/listeners/x', 'there is no listener "x"'],
])('%s is not found', async (path, error) => {
  expect(await get(path)).toMatchObject({
    status: 404,
    body: { error, code: 'SLUICE_ADMIN_NAME' },
  });
});
