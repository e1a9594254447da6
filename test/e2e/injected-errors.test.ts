// Errors that a kernel seldom gives, injected into the real process: each is counted, and serving
// goes on.
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startTcpEcho } from '../support/echo-target.js';
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
