// The admin API's socket for real: where it listens, whom it answers, and what it leaves alone.
import { once } from 'node:events';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AdminServer, startAdminServer } from '../../src/admin/server.js';
import { adminSource } from '../support/fake-admin-source.js';
import { temporaryFolder } from '../support/real-server.js';
import { waitFor } from '../support/wait-for.js';

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

  it('cuts who never ends his headers or his body, and serves the others meanwhile', async () => {
    const times = { headersTimeoutMs: 300, requestTimeoutMs: 600, checkMs: 50 };
    const server = await startAdminServer({ host: '127.0.0.1', port: 0 }, source, times);
    onTestFinished(() => server.close());
    const { port } = new URL(server.address);
    const json = 'Content-Type: application/json';
    const slow = [
      'GET /readyz HTTP/1.1\r\nHost: localhost\r\n',
      `POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n${json}\r\nContent-Length: 999\r\n\r\n`,
    ].map((begin, index) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(begin));
      // A byte now and then, which would keep an idle timeout from firing.
      const more = index === 0 ? 'x' : ' ';
      const dribble = setInterval(() => socket.write(more), 20);
      onTestFinished(() => {
        clearInterval(dribble);
        socket.destroy();
      });
      let answer = '';
      socket.on('error', () => undefined).setEncoding('utf8');
      socket.on('data', (text: string) => {
        answer += text;
      });
      return once(socket, 'close').then(() => answer);
    });
    expect(await statusOf({ url: server.address })).toBe(200);
    for (const answer of await Promise.all(slow)) {
      expect(answer === '' || answer.startsWith('HTTP/1.1 408 ')).toBe(true);
    }
    expect(await statusOf({ url: server.address })).toBe(200);
  });

  it('takes no more connections than its bound, and takes them again after', async () => {
    const server = await startAdminServer({ host: '127.0.0.1', port: 0 }, source, {
      connectionsMax: 2,
    });
    onTestFinished(() => server.close());
    const { port } = new URL(server.address);
    const open = async () => {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
      await once(socket, 'connect');
      return socket;
    };
    const held = [await open(), await open()];
    const refused = await open();
    await once(refused, 'close');
    for (const socket of held) socket.destroy();
    await waitFor('a place', async () => (await fetch(server.address).catch(() => null)) !== null);
  });

  it('leaves a file alone that is no socket', async () => {
    const path = join(await temporaryFolder(), 'precious');
    await writeFile(path, 'data');
    await chmod(path, 0o600);
    await expect(start({ path })).rejects.toMatchObject({ code: 'SLUICE_ADMIN_LISTEN' });
    expect(await readFile(path, 'utf8')).toBe('data');
  });
});
