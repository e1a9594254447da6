// The admin API's socket for real: where it listens, whom it answers, and what it leaves alone.
import { once } from 'node:events';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AdminServer, startAdminServer } from '../../src/admin/server.js';
import { adminSource } from '../support/fake-admin-source.js';
import { temporaryFolder } from '../support/real-server.js';

const source = adminSource();

async function start(listen: Parameters<typeof startAdminServer>[0]): Promise<AdminServer> {
  const server = await startAdminServer(listen, source);
  onTestFinished(() => server.close());
  return server;
}

async function statusOf(options: {
  readonly url?: string;
  readonly socketPath?: string;
  readonly host?: string;
}): Promise<number | undefined> {
  const { url = 'http://localhost', socketPath, host } = options;
  const asked = request(`${url}/readyz`, { socketPath, headers: host ? { host } : {} });
  asked.end();
  const [response] = await once(asked, 'response');
  response.resume();
  return response.statusCode;
}

describe('the admin server', () => {
  it('answers on every loopback address under its own Host', async () => {
    for (const host of ['127.0.0.1', '127.0.0.2', '::1']) {
      const { address } = await start({ host, port: 0 });
      expect(await statusOf({ url: address })).toBe(200);
    }
  });

  it('refuses a name that only resolves to loopback, and lookalikes of loopback', async () => {
    const { address } = await start({ host: '127.0.0.1', port: 0 });
    expect(await statusOf({ url: address, host: 'LOCALHOST:1' })).toBe(200);
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil:80', '1.2.3.4']) {
      expect(await statusOf({ url: address, host })).toBe(403);
    }
  });

  it('says that another program has the address', async () => {
    const { address } = await start({ host: '127.0.0.1', port: 0 });
    const port = Number(new URL(address).port);
    await expect(start({ host: '127.0.0.1', port })).rejects.toMatchObject({
      code: 'SLUICE_ADMIN_LISTEN',
      message: `admin.listen 127.0.0.1:${port}: another program listens there`,
    });
  });

  it('makes its unix socket for its own user alone, and takes the file away again', async () => {
    const path = join(await temporaryFolder(), 'admin.sock');
    const server = await startAdminServer({ path }, source);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await statusOf({ socketPath: path, host: 'any.example' })).toBe(200);
    await server.close();
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('does not take a unix socket from a living owner', async () => {
    const path = join(await temporaryFolder(), 'admin.sock');
    await start({ path });
    await expect(start({ path })).rejects.toMatchObject({ code: 'SLUICE_ADMIN_LISTEN' });
    expect(await statusOf({ socketPath: path })).toBe(200);
  });

  it('leaves a file alone that is no socket', async () => {
    const path = join(await temporaryFolder(), 'precious');
    await writeFile(path, 'data');
    await chmod(path, 0o600);
    await expect(start({ path })).rejects.toMatchObject({ code: 'SLUICE_ADMIN_LISTEN' });
    expect(await readFile(path, 'utf8')).toBe('data');
  });
});
