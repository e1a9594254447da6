// sluice connections close against a real process: with a question on a terminal, with --yes
// elsewhere, and nothing is closed otherwise.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTcpEcho } from '../support/echo-target.js';
import { runOnTerminal } from '../support/pseudo-terminal.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, mainPath, startSluice } from '../support/sluice-process.js';
import { track } from '../support/track.js';

async function start() {
  const { port: targetPort } = track(await startTcpEcho({}));
  const sluice =
    await startSluice(`${configHead}listeners: { web: { bind: "127.0.0.1:0", pool: web } }
pools: { web: { health: none, targets: [{ name: a, address: "127.0.0.1:${targetPort}" }] } }
`);
  const admin = String((await sluice.event('ready')).adminAddress);
  const { port } = await sluice.address('web');
  /** Resolves when its first byte has been echoed. */
  const enter = async (): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    await isServed(socket);
    return socket;
  };
  const close = async (...args: readonly string[]) => {
    const command = await startSluice('', {
      args: ['connections', 'close', ...args, '--admin', admin],
      waitReady: false,
    });
    const { code } = await command.exited;
    const text = command.log.map((line) => String(line.text ?? JSON.stringify(line))).join('\n');
    return { code, text, errors: command.stderr() };
  };
  return { sluice, admin, enter, close };
}

async function isServed(socket: Socket): Promise<void> {
  socket.write('x');
  await once(socket, 'data');
}

describe('sluice connections close', () => {
  it('closes without a question what is named, and says how many', async () => {
    const { sluice, enter, close } = await start();
    for (const place of [
      ['--target', 'web/a'],
      ['--listener', 'web'],
    ]) {
      const sockets = [await enter(), await enter()];
      const closing = Promise.all(sockets.map((socket) => once(socket, 'close')));
      const { code, text } = await close(...place, '--yes');
      await closing;
      expect([code, text]).toEqual([
        0,
        `2 open connections and sessions of ${place[1]} told to close`,
      ]);
    }
    const change = await sluice.event('admin_change');
    expect(change).toMatchObject({ operation: 'closeTargetConnections', status: 200 });
  });

  it('closes nothing for a name that is not there, wrong usage, and without a yes', async () => {
    const { enter, close } = await start();
    const stays = await enter();
    expect(await close('--target', 'web/z', '--yes')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('there is no target "z" in a pool "web"'),
    });
    for (const args of [
      [],
      ['--target', 'web', '--yes'],
      ['--target', 'web/a'],
      ['--target', 'web/a', '--listener', 'web', '--yes'],
    ]) {
      expect([args, (await close(...args)).code]).toEqual([args, 2]);
    }
    await isServed(stays);
  });
});

describe.runIf(requireTools('python3'))('sluice connections close on a terminal', () => {
  it('asks, and does what the answer says', async () => {
    const { admin, enter } = await start();
    const socket = await enter();
    const args = ['connections', 'close', '--target', 'web/a', '--admin', admin];
    const command = [process.execPath, mainPath, ...args];
    const question = { expect: 'Close 1 open connection or session of web/a? [y/N] ' };
    for (const answer of ['\r', 'no\r', '\x03']) {
      const no = await runOnTerminal(command, [question, { send: answer }]);
      expect(no).toMatchObject({ missed: null, status: 1, cooked: true });
      expect(no.output).toContain('nothing was closed');
    }
    await isServed(socket);
    const closing = once(socket, 'close');
    const yes = await runOnTerminal(command, [question, { send: 'y\r' }]);
    expect(yes).toMatchObject({ missed: null, status: 0, cooked: true });
    await closing;
  });
});
