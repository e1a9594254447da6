// Errors that a kernel seldom gives, injected into the real process: each is counted, and serving
// goes on (faults 15, 49).
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startTcpEcho, startUdpEcho } from '../support/echo-target.js';
import { runProgram } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

it.runIf(requireTools('strace'))('counts a failed accept, and accepts the next', async () => {
  const target = await startTcpEcho();
  onTestFinished(() => target.close());
  const inject = 'inject=accept4:error=EPERM:when=1';
  const sluice = await startSluice(
    `${configHead}
engine: { workers: 1 }
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:${target.port}"], health: none } }`,
    { wrapper: ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=accept4', '-e', inject] },
  );
  const { port } = await sluice.address('echo');
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  socket.write('in spite of it');
  expect(String((await once(socket, 'data'))[0])).toBe('in spite of it');
  // Node's own accepts (the admin API) are injected too, so at least one of sluice's was.
  await waitFor('the count', async () => {
    return ((await sluice.status()).listeners[0]?.totals.accept_errors ?? 0) > 0;
  });
});

it('drops and counts datagrams of new clients without descriptors, keeps the others', async () => {
  const target = await startUdpEcho();
  onTestFinished(() => target.close());
  const sluice = await startSluice(
    `${configHead}
engine: { workers: 1 }
listeners:
  echo: { bind: "127.0.0.1:0", protocol: udp, pool: echo, timeouts: { idle: 1s } }
pools: { echo: { targets: ["127.0.0.1:${target.port}"] } }`,
  );
  const { port } = await sluice.address('echo');
  // What it has open now, and room for a few sessions more.
  const open = (await readdir(`/proc/${sluice.pid}/fd`)).length;
  const limitDescriptors = (limit: number) =>
    runProgram('prlimit', ['--pid', String(sluice.pid), `--nofile=${limit}:20000`]);
  await limitDescriptors(open + 24);
  const clients = Array.from({ length: 64 }, () => createSocket('udp4'));
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  let answers = 0;
  for (const client of clients) client.on('message', () => answers++);
  const [first] = clients;
  if (!first) throw new Error('no client');
  first.send('first', port, '127.0.0.1');
  await once(first, 'message');
  for (const client of clients.slice(1)) client.send('one of many', port, '127.0.0.1');
  // Datagrams are taken in their order: when this one is answered, all others have been met.
  first.send('still served', port, '127.0.0.1');
  expect(String((await once(first, 'message'))[0])).toBe('still served');
  await limitDescriptors(20_000);
  const dropped = async () =>
    (await sluice.status()).listeners[0]?.totals.datagrams_dropped_local_error ?? 0;
  await waitFor('all others answered or dropped', async () => {
    return answers - 2 + (await dropped()) === 63;
  });
  expect(await dropped()).toBeGreaterThan(0);
  // Idle sessions give their descriptors back.
  await waitFor('room again', async () => (await sluice.status()).listeners[0]?.active === 0);
  const last = clients.at(-1);
  last?.send('room again', port, '127.0.0.1');
  if (last) expect(String((await once(last, 'message'))[0])).toBe('room again');
});
