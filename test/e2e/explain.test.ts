// sluice explain against a real process: what it says is where the next connection goes, also when
// nobody is left, and it says how it ended by its exit code.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTcpEcho } from '../support/echo-target.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { track } from '../support/track.js';

/** A pool of targets that say their names, behind one worker; each takes one connection. */
async function start(pool: string): Promise<SluiceProcess> {
  const targets = await Promise.all(
    ['a', 'b'].map(async (name) => ({
      name,
      port: track(await startTcpEcho({ greeting: name })).port,
    })),
  );
  const rows = targets.map(({ name, port }) => {
    return `      - { name: ${name}, address: "127.0.0.1:${port}", max_connections: 1 }`;
  });
  return await startSluice(`${configHead}engine: { workers: 1 }
listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools:
  web:
    health: none
    ${pool}
    targets:
${rows.join('\n')}
`);
}

async function explain(sluice: SluiceProcess, ...args: readonly string[]) {
  const { adminAddress } = await sluice.event('ready');
  const command = await startSluice('', {
    args: ['explain', ...args, '--admin', String(adminAddress)],
    waitReady: false,
  });
  const { code } = await command.exited;
  return {
    code,
    text: command.log.map(({ text }) => String(text ?? '')).join('\n'),
    errors: command.stderr(),
  };
}

/** Who greets a client that stays. */
async function enter(sluice: SluiceProcess): Promise<string> {
  const { port } = await sluice.address('in');
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  return String((await once(socket, 'data'))[0]);
}

describe('sluice explain', () => {
  it.each([
    'policy: round_robin',
    'policy: least_connections',
    'policy: source_hash',
    'sticky: { by: source }',
  ])('says where the next connection goes, until nobody is left (%s)', async (pool) => {
    const sluice = await start(pool);
    for (let entered = 0; entered < 2; entered++) {
      const { code, text } = await explain(sluice, 'in', '--client', '127.0.0.1');
      expect(code).toBe(0);
      const [, target] = /^in -> web \(\w+\) -> (\w): /.exec(text) ?? [];
      expect(await enter(sluice)).toBe(target);
    }
    const { code, text } = await explain(sluice, 'in', '--client', '127.0.0.1:4000');
    expect(text).toContain('none: every target is at its max_connections; it is refused.');
    expect(text).toMatch(/^a +candidate +1\/1 .*at its limit: 1 of 1$/m);
    expect(text).not.toContain('\u001b');
    expect(code).toBe(1);
  });

  it('refuses what nobody can answer, and names it', async () => {
    const sluice = await start('policy: round_robin');
    const wrong = await explain(sluice, 'in', '--client', 'nowhere');
    expect([wrong.code, wrong.errors]).toEqual([
      2,
      expect.stringContaining('--client: "nowhere" is not an address'),
    ]);
    expect((await explain(sluice, 'in')).code).toBe(2);
    expect((await explain(sluice, 'in', '--client', '::1', '--worker', 'x')).code).toBe(2);
    const listener = await explain(sluice, 'web', '--client', '::1');
    expect([listener.code, listener.errors]).toEqual([
      1,
      'sluice: there is no listener "web" (SLUICE_ADMIN_NAME)\n',
    ]);
    const worker = await explain(sluice, 'in', '--client', '::1', '--worker', '7');
    expect([worker.code, worker.errors]).toEqual([
      1,
      'sluice: there is no worker 7: the last one is 0 (SLUICE_ADMIN_NAME)\n',
    ]);
  });
});
