// Closing by the admin API of a real load balancer: who is named is closed, TCP and UDP, nobody
// else is, and whoever comes again is served.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createLoadBalancer } from '../../src/library.js';
import { startTcpEcho, startUdpEcho } from '../support/echo-target.js';
import { track } from '../support/track.js';
import { waitFor } from '../support/wait-for.js';

async function start() {
  const tcp = track(await startTcpEcho({}));
  const udp = track(await startUdpEcho({}));
  const balancer = await createLoadBalancer({
    config: {
      engine: { workers: 2 },
      admin: { listen: '127.0.0.1:0' },
      listeners: {
        web: { bind: '127.0.0.1:0', pool: 'web' },
        more: { bind: '127.0.0.1:0', pool: 'web' },
        dns: { bind: '127.0.0.1:0', protocol: 'udp', pool: 'dns' },
      },
      pools: {
        web: { targets: [{ name: 'a', address: `127.0.0.1:${tcp.port}` }], health: 'none' },
        dns: { targets: [{ name: 'a', address: `127.0.0.1:${udp.port}` }], health: 'none' },
      },
    },
  });
  onTestFinished(() => balancer.close({ drainTimeoutMs: 0 }));
  const listenerOf = (name: string) => {
    const found = balancer.status().listeners.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no listener ${name}`);
    return found;
  };
  const portOf = (name: string) => Number(listenerOf(name).addresses[0]?.split(':').at(-1));
  const close = async (path: string) => {
    const answer = await fetch(`${balancer.adminAddress}/api/v1/${path}/close`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    return (await answer.json()) as Record<string, unknown>;
  };
  /** Resolves when its first byte has been echoed. */
  const enter = async (listener: string): Promise<Socket> => {
    const socket = connect({ port: portOf(listener), host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write('x');
    await once(socket, 'data');
    return socket;
  };
  return { close, enter, listenerOf, portOf };
}

const ended = (sockets: readonly Socket[]) =>
  Promise.all(sockets.map((socket) => once(socket, 'close')));

const isServed = async (socket: Socket) => {
  socket.write('y');
  expect(String((await once(socket, 'data'))[0])).toBe('y');
};

it('a listener: its connections on every worker, and not those of another', async () => {
  const { close, enter, listenerOf } = await start();
  const named = await Promise.all(Array.from({ length: 20 }, () => enter('web')));
  const other = await enter('more');
  const closing = ended(named);
  expect(await close('listeners/web')).toEqual({ told: 20 });
  await closing;
  await waitFor('the counter', () => listenerOf('web').closed.closed_by_operator === 20);
  await isServed(other);
  await enter('web');
  expect(await close('listeners/none')).toMatchObject({ code: 'SLUICE_ADMIN_NAME' });
});

it('a target: its connections of every listener, and no sessions of another', async () => {
  const { close, enter } = await start();
  const named = [await enter('web'), await enter('more')];
  const closing = ended(named);
  expect(await close('pools/dns/targets/a')).toEqual({ told: 0 });
  await Promise.all(named.map(isServed));
  expect(await close('pools/web/targets/a')).toEqual({ told: 2 });
  await closing;
  await enter('web');
});

it('UDP sessions; the next datagram begins another', async () => {
  const { close, enter, listenerOf, portOf } = await start();
  const stays = await enter('web');
  const client = createSocket('udp4');
  onTestFinished(() => new Promise<void>((resolve) => client.close(() => resolve())));
  const ask = async () => {
    client.send('xyz', portOf('dns'), '127.0.0.1');
    await once(client, 'message');
  };
  for (const [round, path] of ['pools/dns/targets/a', 'listeners/dns'].entries()) {
    await ask();
    expect(await close(path)).toEqual({ told: 1 });
    await waitFor('its end', () => listenerOf('dns').closed.closed_by_operator === round + 1);
    expect(listenerOf('dns').active).toBe(0);
  }
  await ask();
  await isServed(stays);
});
