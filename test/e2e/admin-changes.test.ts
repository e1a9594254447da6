// Changes of the configuration by the admin API of a real process: in force, kept, or drift.
import { once } from 'node:events';
import { chmod, readFile, stat } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { contractOf, type OpenapiDocument } from '../support/openapi-contract.js';
import { startSluice } from '../support/sluice-process.js';

interface Reply {
  readonly status: number;
  readonly etag: string;
  readonly body: Record<string, unknown>;
}

const text = `# Kept as it is.
admin: { listen: "127.0.0.1:0" }
log: { format: json, level: debug }
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    policy: least_connections # by load
    health: none
    targets:
      - 127.0.0.1:1 # the first
`;

async function start() {
  const sluice = await startSluice(text);
  const address = String((await sluice.event('ready')).adminAddress);
  const document = await (await sluice.admin('/api/v1/openapi.json')).json();
  const operations = await contractOf(document as OpenapiDocument);
  const ask = async (
    operationId: string,
    {
      body,
      query = '',
      headers = {},
      target = '127.0.0.1:1',
    }: {
      body?: object;
      query?: string;
      headers?: Record<string, string>;
      target?: string;
    } = {},
  ): Promise<Reply> => {
    const operation = operations.find((one) => one.operationId === operationId);
    if (!operation) throw new Error(`no ${operationId}`);
    const path = operation.path
      .replace('{pool}', 'web')
      .replace('{target}', encodeURIComponent(target));
    const asked = request(`${address}${path}${query}`, {
      method: operation.method,
      agent: false,
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    });
    asked.end(body && JSON.stringify(body));
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const answer = (await json(response)) as Reply['body'];
    const status = response.statusCode ?? 0;
    expect(operation.faults(status, 'application/json', answer), operationId).toBe('');
    return { status, etag: response.headers.etag ?? '', body: answer };
  };
  const targets = async () => (await sluice.status()).pools[0]?.targets ?? [];
  return { sluice, ask, targets, file: () => readFile(sluice.configPath, 'utf8') };
}

it('changes what is in force, and shows it as drift until a reload', async () => {
  const { sluice, ask, targets, file } = await start();
  const first = await ask('getConfig');
  expect(first.body).toMatchObject({ text, drift: [] });
  const changed = await ask('changeTarget', { body: { weight: 9, maxConnections: 4 } });
  expect(changed).toMatchObject({ status: 200, body: { persisted: false } });
  expect(changed.etag).not.toBe(first.etag);
  expect(await targets()).toMatchObject([{ weight: 9, maxConnections: 4 }]);
  expect((await ask('addTarget', { body: { address: '127.0.0.1:2', name: 'b' } })).status).toBe(
    200,
  );
  expect((await targets()).map(({ name }) => name)).toEqual(['127.0.0.1:1', 'b']);
  const { drift } = (await ask('getConfig')).body;
  expect(drift).toEqual([
    { kind: 'changed', path: 'pools.web.targets[127.0.0.1:1].weight', file: '1', running: '9' },
    {
      kind: 'changed',
      path: 'pools.web.targets[127.0.0.1:1].max_connections',
      file: '0',
      running: '4',
    },
    { kind: 'added', path: 'pools.web.targets[b]', file: '', running: 'b' },
  ]);
  expect(await file()).toBe(text);
  const back = await ask('reload', { body: {} });
  expect(back).toMatchObject({ status: 200, etag: first.etag, body: { persisted: true } });
  expect(await targets()).toMatchObject([{ name: '127.0.0.1:1', weight: 1 }]);
  expect((await ask('getConfig')).body.drift).toEqual([]);
  expect(
    await sluice.event('admin_change', ({ operation }) => operation === 'addTarget'),
  ).toMatchObject({ who: 'loopback', change: '{"address":"127.0.0.1:2","name":"b"}', status: 200 });
});

it('keeps a change in the file, with its comments and its mode', async () => {
  const { sluice, ask, file } = await start();
  await chmod(sluice.configPath, 0o640);
  const kept = await ask('changeTarget', { body: { weight: 9, persist: true } });
  expect(kept).toMatchObject({ status: 200, body: { persisted: true } });
  const whole = text.replace('- 127.0.0.1:1 #', '- { address: 127.0.0.1:1, weight: 9 } #');
  expect(await file()).toBe(whole);
  expect((await stat(sluice.configPath)).mode & 0o777).toBe(0o640);
  await ask('addTarget', { body: { address: '127.0.0.1:2', persist: true } });
  const removed = await ask('removeTarget', { target: '127.0.0.1:2', query: '?persist=true' });
  expect(removed.status).toBe(200);
  expect(await file()).toBe(whole);
  expect((await ask('getConfig')).body.drift).toEqual([]);
  // Somebody edits it: what he wrote is not overwritten.
  await sluice.writeConfig(`${whole}# mine\n`);
  const refused = await ask('changeTarget', { body: { weight: 3, persist: true } });
  expect(refused).toMatchObject({ status: 409, body: { code: 'SLUICE_ADMIN_FILE' } });
  expect(await file()).toBe(`${whole}# mine\n`);
  expect((await ask('getConfig')).body.text).toBe(whole);
});

it('says what is wrong with a file that a reload refused, until one takes it', async () => {
  const { sluice, ask } = await start();
  expect((await ask('getConfig')).body.refused).toBeNull();
  await sluice.writeConfig(text.replace('policy:', 'polcy:'));
  expect((await ask('reload', { body: {} })).status).toBe(422);
  const { refused, text: running } = (await ask('getConfig')).body;
  expect(running).toBe(text);
  expect(refused).toMatchObject({
    time: expect.stringMatching(/Z$/),
    message: expect.stringContaining('has 1 error; nothing has changed'),
    problems: [
      {
        line: 7,
        column: 5,
        path: 'pools.web.polcy',
        code: 'SLUICE_CONFIG_UNKNOWN_KEY',
        source: '    polcy: least_connections # by load',
      },
    ],
  });
  await sluice.writeConfig(text);
  expect((await ask('reload', { body: {} })).status).toBe(200);
  expect((await ask('getConfig')).body.refused).toBeNull();
});

it('refuses what a file would be refused for, and what is meant for another revision', async () => {
  const { sluice, ask, targets, file } = await start();
  const { etag } = await ask('getConfig');
  const stale = { body: { weight: 2 }, headers: { 'if-match': '"0000"' } };
  expect(await ask('changeTarget', stale)).toMatchObject({
    status: 412,
    etag,
    body: { code: 'SLUICE_ADMIN_STALE' },
  });
  expect(await ask('removeTarget')).toMatchObject({
    status: 422,
    body: { code: 'SLUICE_ADMIN_CHANGE', problems: [{ path: 'pools.web.targets' }] },
  });
  expect(await ask('addTarget', { body: { address: '127.0.0.1:1' } })).toMatchObject({
    status: 422,
    body: { problems: [{ code: 'SLUICE_CONFIG_DUPLICATE_TARGET' }] },
  });
  for (const address of ['169.254.169.254:80', 'unix:/run/docker.sock', '[fe80::1%lo]:80']) {
    expect((await ask('addTarget', { body: { address } })).body.code).toBe('SLUICE_ADMIN_ADDRESS');
  }
  expect((await ask('removeTarget', { target: 'x' })).body.code).toBe('SLUICE_ADMIN_NAME');
  expect((await targets()).length).toBe(1);
  const good = { body: { weight: 2 }, headers: { 'if-match': etag } };
  expect((await ask('changeTarget', good)).status).toBe(200);
  expect((await ask('changeTarget', good)).status).toBe(412);
  await sluice.writeConfig(text.replace('least_connections', 'least'));
  expect(await ask('reload', { body: {} })).toMatchObject({
    status: 422,
    body: { problems: [{ line: 7, column: 13, code: 'SLUICE_CONFIG_VALUE' }] },
  });
  expect(await file()).toContain('policy: least #');
});
