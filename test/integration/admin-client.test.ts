// The commands' one request, against admin APIs that are not there or not well.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { postAdmin, readAdmin } from '../../src/cli/admin-client.js';

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('gives up on one that takes the request and says nothing', async () => {
  const silent = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume();
  });
  const address = await listen(silent);
  await expect(postAdmin(address, '/api/v1/x', {}, 100)).rejects.toMatchObject({
    code: 'SLUICE_ADMIN_UNREACHABLE',
    message: `the admin API at ${address}: no answer within 100 ms`,
  });
});

it('refuses an answer that is no JSON object, or has no end', async () => {
  const bodies = ['[', '"x"', `"${'x'.repeat(2 << 20)}"`];
  const odd = createHttpServer((_, response) => response.end(bodies.shift()));
  const address = await listen(odd);
  for (const why of [/JSON/, /its answer is no JSON object/, /its answer has no end/]) {
    const asked = postAdmin(address, '/api/v1/x', {});
    await expect(asked).rejects.toMatchObject({
      code: 'SLUICE_ADMIN_UNREACHABLE',
      message: expect.stringMatching(why),
    });
  }
});

it('tells a refusal by its own code, and one of another program as what it is', async () => {
  const answers = [
    { error: 'a token is needed', code: 'SLUICE_ADMIN_TOKEN' },
    { error: 'forbidden', code: 'E_OTHER' },
    {},
  ];
  const refusing = createHttpServer((_, response) => {
    response.statusCode = 401;
    response.end(JSON.stringify(answers.shift()));
  });
  const address = await listen(refusing);
  for (const [code, why] of [
    ['SLUICE_ADMIN_TOKEN', 'a token is needed'],
    ['SLUICE_ADMIN_UNREACHABLE', 'forbidden'],
    ['SLUICE_ADMIN_UNREACHABLE', 'it answered 401 to /api/v1/x'],
  ]) {
    await expect(readAdmin(address, '/api/v1/x')).rejects.toMatchObject({
      code,
      message: `the admin API at ${address}: ${why}`,
    });
  }
});
