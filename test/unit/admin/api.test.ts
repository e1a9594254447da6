// Every way in: what is served is described, and what is not served says so.
import { expect, it } from 'vitest';
import { fakeAdmin } from '../../support/fake-admin-source.js';

const { app, get } = fakeAdmin();

interface Operation {
  readonly operationId: string;
  readonly security: readonly { readonly token: readonly string[] }[];
}

async function operations() {
  const { body } = await get('/api/v1/openapi.json');
  const paths = body.paths as Record<string, Record<string, Operation>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

it('every served path below /api is in the document, and the other way round', async () => {
  const served = app.routes
    .filter(({ path, method }) => path.startsWith('/api/') && method !== 'ALL')
    .map(({ path, method }) => `${method} ${path}`);
  const documented = (await operations()).map(
    ({ path, method }) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
  );
  expect(new Set(served)).toEqual(new Set(documented));
});

it('every operation has a name of its own and a role', async () => {
  const all = await operations();
  expect(new Set(all.map(({ operation }) => operation.operationId)).size).toBe(all.length);
  for (const { method, operation } of all) {
    // The text of the configuration may have what only an administrator should see.
    const isRead = method === 'get' && operation.operationId !== 'getConfig';
    expect(operation.security).toEqual([{ token: [isRead ? 'read' : 'admin'] }]);
  }
});

it('a path that there is not is refused, with where to look', async () => {
  for (const path of ['/status', '/api/v1', '/api/v2/status', '/api/v1/pools/web/targets/a/b/c']) {
    expect(await get(path)).toMatchObject({ status: 404, body: { code: 'SLUICE_ADMIN_PATH' } });
  }
  const index = await (await app.request('/')).text();
  expect(index).toContain('GET /metrics\n');
  expect(index).toContain('POST /api/v1/pools/{pool}/targets/{target}/drain\n');
});

it('a method that a path does not take is refused with those that it does', async () => {
  const place = '/api/v1/pools/web/targets/a%2Fb';
  for (const [method, path, allow] of [
    ['POST', '/api/v1/status', 'GET'],
    ['DELETE', '/metrics', 'GET'],
    ['PUT', place, 'GET, PATCH, DELETE'],
    ['GET', `${place}/drain`, 'POST'],
    ['OPTIONS', `${place}/enable`, 'POST'],
  ] as const) {
    const answer = await app.request(path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe(allow);
    expect(await answer.json()).toMatchObject({ code: 'SLUICE_ADMIN_PATH' });
  }
});

it('no answer allows another origin to read it', async () => {
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
  for (const [method, path] of [
    ['GET', '/api/v1/status'],
    ['OPTIONS', '/api/v1/status'],
    ['GET', '/nothing'],
  ] as const) {
    const answer = await app.request(path, { method, headers });
    const names = [...answer.headers.keys()];
    expect(names.filter((name) => name.startsWith('access-control-'))).toEqual([]);
  }
});
