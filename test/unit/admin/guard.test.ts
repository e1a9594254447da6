// Who is let in, generated from the routes that there are; and what is written down of changes.
import { describe, expect, it } from 'vitest';
import type { AdminReach } from '../../../src/admin/guard.js';
import type { Logger } from '../../../src/log/logger.js';
import type { AdminRole } from '../../../src/model/config.js';
import { accessByTokens, fakeAdmin, roleTokens } from '../../support/fake-admin-source.js';

interface Logged {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Documented {
  readonly paths: Record<string, Record<string, { security: { token: AdminRole[] }[] }>>;
}

const document = (await fakeAdmin().get('/api/v1/openapi.json')).body as unknown as Documented;

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { security }]) => ({
    method: method.toUpperCase(),
    path: path.replaceAll(/\{\w+\}/g, 'x'),
    role: security[0]?.token[0],
  })),
);

function setup(reach: AdminReach = 'network', access = accessByTokens) {
  const log: Logged[] = [];
  const time = { nowMs: 0 };
  const logger: Logger = {
    event: (name, fields) => void log.push({ name, fields: { ...fields } }),
  };
  const { app } = fakeAdmin(
    { access: () => access, log: logger, clock: { nowMs: () => time.nowMs } },
    reach,
  );
  const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
    app.request(path, {
      method,
      headers: { ...(method === 'GET' ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(method === 'GET' ? {} : { body: '{}' }),
    });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  return { app, ask, bearer, log, time };
}

const wrong = 'token-that-is-wrong';

describe('with tokens', () => {
  it.each(['network', 'loopback', 'unix'] as const)(
    'every operation on %s is for those who have the right one',
    async (reach) => {
      expect(operations.length).toBeGreaterThan(14);
      for (const { method, path, role } of operations) {
        const { ask, bearer } = setup(reach);
        const none = await ask(method, path);
        const unknown = await ask(method, path, bearer(wrong));
        for (const answer of [none, unknown]) {
          expect([method, path, answer.status]).toEqual([method, path, 401]);
          expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="sluice"');
          expect(await answer.json()).toMatchObject({ code: 'SLUICE_ADMIN_TOKEN' });
        }
        const reader = await ask(method, path, bearer(roleTokens.read));
        const changer = await ask(method, path, bearer(roleTokens.admin));
        expect([401, 403]).not.toContain(changer.status);
        if (role === 'read') expect(reader.status).toBe(changer.status);
        else expect(await reader.json()).toMatchObject({ code: 'SLUICE_ADMIN_ROLE' });
        expect([method, path, reader.status === 403]).toEqual([method, path, role !== 'read']);
        if (method !== 'GET') expect(role).toBe('admin');
      }
    },
  );

  it('/metrics is for readers, /healthz and /readyz are for everybody', async () => {
    const { ask, bearer } = setup();
    expect((await ask('GET', '/metrics')).status).toBe(401);
    expect((await ask('GET', '/metrics', bearer(roleTokens.read))).status).toBe(200);
    expect((await ask('GET', '/healthz')).status).toBe(200);
    expect((await ask('GET', '/readyz')).status).toBe(200);
  });

  it.each([
    'Basic eDp5',
    'Bearer',
    'Bearer ',
    `Bearer ${roleTokens.admin} x`,
    `${roleTokens.admin}`,
  ])('the header %j lets nobody in', async (authorization) => {
    const { ask } = setup();
    expect((await ask('GET', '/api/v1/status', { authorization })).status).toBe(401);
  });

  it('an address that sent ten wrong ones waits for the rest of a minute', async () => {
    const { ask, bearer, log, time } = setup();
    const status = async (token: string) => (await ask('GET', '/metrics', bearer(token))).status;
    for (let count = 0; count < 10; count++) expect(await status(wrong)).toBe(401);
    time.nowMs = 20_500;
    const answer = await ask('GET', '/metrics', bearer(roleTokens.admin));
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('40');
    expect(await answer.json()).toMatchObject({ code: 'SLUICE_ADMIN_THROTTLED' });
    expect(log.length).toBe(10);
    time.nowMs = 60_000;
    expect(await status(roleTokens.admin)).toBe(200);
    expect(await status(wrong)).toBe(401);
  });
});

describe('without tokens', () => {
  it.each(['loopback', 'unix'] as const)('whoever reaches %s may do all', async (reach) => {
    const { ask } = setup(reach, { hosts: [], tokens: [] });
    for (const { method, path } of operations) {
      expect([401, 403, 429]).not.toContain((await ask(method, path)).status);
    }
  });

  it('nobody on the network is answered', async () => {
    const { ask } = setup('network', { hosts: [], tokens: [] });
    for (const { method, path } of [...operations, { method: 'GET', path: '/metrics' }]) {
      const answer = await ask(method, path);
      expect(await answer.json()).toMatchObject({ code: 'SLUICE_ADMIN_REMOTE' });
    }
  });
});

describe('a web page of another origin', () => {
  it.each<Record<string, string>>([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost.evil.example' },
  ])('changes nothing with %j', async (headers) => {
    const { ask, bearer } = setup();
    for (const { method, path } of operations.filter((one) => one.method !== 'GET')) {
      const whole = { ...headers, ...bearer(roleTokens.admin), host: 'localhost' };
      const answer = await ask(method, path, whole);
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ code: 'SLUICE_ADMIN_ORIGIN' });
    }
  });

  it('is told from the own page', async () => {
    const { ask } = setup('loopback', { hosts: [], tokens: [] });
    const own = { host: 'localhost:9090', origin: 'http://localhost:9090' };
    const path = '/api/v1/pools/x/targets/x/disable';
    expect((await ask('POST', path, { ...own, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    expect((await ask('POST', path, { 'sec-fetch-site': 'none' })).status).toBe(200);
  });
});

describe('the Host', () => {
  const hosts = ['lb.example.com', '[2001:db8::1]'];
  it.each([
    ['loopback', [], 'evil.example', 403],
    ['loopback', hosts, 'LB.example.com:9090', 200],
    ['loopback', hosts, 'lb.example.com.evil', 403],
    ['network', hosts, 'lb.example.com', 200],
    ['network', hosts, '[2001:db8::1]:9090', 200],
    ['network', hosts, 'localhost', 200],
    ['network', hosts, 'evil.example', 403],
    ['network', [], '192.0.2.1:9090', 200],
    ['unix', [], 'anything', 200],
  ] as const)('on %s with the names %j may be %s or not', async (reach, known, host, status) => {
    const { ask } = setup(reach, { hosts: known, tokens: [] });
    expect((await ask('GET', '/healthz', { host })).status).toBe(status);
  });
});

describe('the log', () => {
  const path = '/api/v1/pools/web/targets/a/drain';

  it('says of each change who asked for what, and how it ended', async () => {
    const { app, ask, bearer, log } = setup('unix');
    await app.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(roleTokens.admin) },
      body: '{"deadlineMs":5}',
    });
    await ask('POST', path, bearer(roleTokens.read));
    const operation = { source: 'unix', operation: 'drainTarget', path };
    expect(log).toEqual([
      {
        name: 'admin_change',
        fields: { ...operation, who: 'adminer', change: '{"deadlineMs":5}', status: 404 },
      },
      { name: 'admin_change', fields: { ...operation, who: 'reader', change: '{}', status: 403 } },
    ]);
    const local = setup('loopback', { hosts: [], tokens: [] });
    await local.ask('POST', path);
    expect(local.log[0]).toMatchObject({ name: 'admin_change', fields: { who: 'loopback' } });
  });

  it('and the answers hold no token, right or wrong', async () => {
    const { ask, bearer, log } = setup();
    const answers: string[] = [];
    for (const { method, path: where } of operations) {
      for (const token of [wrong, ...Object.values(roleTokens)]) {
        answers.push(await (await ask(method, where, bearer(token))).text());
      }
    }
    const said = JSON.stringify([log, answers]);
    for (const token of [wrong, ...Object.values(roleTokens)]) expect(said).not.toContain(token);
    for (const { hash } of accessByTokens.tokens) expect(said).not.toContain(hash);
  });
});
