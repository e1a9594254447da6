// The exec probe with real programs.
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createExecProbe } from '../../src/health/exec-probe.js';
import { isAlive } from '../support/is-alive.js';
import { loopback, requestOf } from '../support/probe-request.js';
import { temporaryFolder } from '../support/real-server.js';

const environment = { PATH: '/usr/bin:/bin', SECRET: 'not for programs' };
const probe = createExecProbe({
  clock: systemClock(),
  environment,
  stop: new AbortController().signal,
});

function run(command: readonly string[], timeoutMs = 10_000) {
  const where = { endpoint: loopback(5432), host: 'db1.internal', timeoutMs };
  return probe(requestOf({ kind: 'exec', exec: { command } }, where));
}

const shell = (script: string, ...args: readonly string[]) => ['/bin/sh', '-c', script, ...args];

describe('the exec probe', () => {
  it('is good when the program exits with 0, and quotes what it printed', async () => {
    expect(await run(['/bin/true'])).toMatchObject({ ok: true, reason: 'answered' });
    expect(await run(shell('echo lag 3; echo s >&2'))).toMatchObject({
      ok: true,
      facts: { detail: 'lag 3 s' },
    });
  });

  it('is bad with any other status, or a signal', async () => {
    expect(await run(shell('echo too late; exit 3'))).toMatchObject({
      ok: false,
      reason: 'bad_answer',
      facts: { detail: 'exit 3: too late' },
    });
    expect(await run(shell('kill -TERM $$'))).toMatchObject({
      ok: false,
      facts: { detail: 'killed by SIGTERM' },
    });
  });

  it('gives the program its arguments as they are, and nothing to a shell', async () => {
    const odd = '$(touch /tmp/x); "a b" *';
    const result = await run(['/usr/bin/printf', '%s', odd]);
    expect(result.facts?.detail).toBe(odd);
  });

  it('gives it the environment that is documented, and no more', async () => {
    const file = join(await temporaryFolder(), 'environment');
    const where = { endpoint: loopback(5432), host: 'db1.internal', timeoutMs: 9000 };
    const command = shell('env > "$0"', file);
    await probe(requestOf({ kind: 'exec', exec: { command } }, where));
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    // The shell itself adds two.
    expect(lines.filter((line) => !/^(PWD|_|OLDPWD|SHLVL)=/.test(line)).sort()).toEqual([
      'LC_ALL=C',
      'PATH=/usr/bin:/bin',
      'SLUICE_ADDRESS=127.0.0.1',
      'SLUICE_HOST=db1.internal',
      'SLUICE_POOL=web',
      'SLUICE_PORT=5432',
      'SLUICE_TARGET=a',
      'SLUICE_TIMEOUT_MS=9000',
    ]);
  });

  it('kills the program and its children at the timeout', async () => {
    const file = join(await temporaryFolder(), 'pids');
    const script = 'sleep 1000 & echo $$ $! > "$0"; wait';
    const result = await run(shell(script, file), 1500);
    expect(result).toMatchObject({ ok: false, reason: 'timed_out' });
    const pids = (await readFile(file, 'utf8')).trim().split(' ').map(Number);
    expect(pids).toHaveLength(2);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });

  it('kills children that the program leaves behind, and does not wait for them', async () => {
    const file = join(await temporaryFolder(), 'pid');
    const result = await run(shell('sleep 1000 & echo $! > "$0"; echo done', file));
    expect(result).toMatchObject({ ok: true, facts: { detail: 'done' } });
    const pid = Number(await readFile(file, 'utf8'));
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it('reads output to its end without keeping it', async () => {
    const result = await run(shell('head -c 3000000 /dev/zero | tr "\\0" x; exit 1'));
    expect(result).toMatchObject({ ok: false, reason: 'bad_answer' });
    expect(result.facts?.detail).toMatch(/^exit 1: x+\.\.\.$/);
  });

  it('calls it our own fault when the program cannot be started', async () => {
    const missing = await run(['/nonexistent/program']);
    expect(missing).toMatchObject({ ok: false, reason: 'local' });
    expect(missing.facts?.detail).toContain('ENOENT');
    const file = join(await temporaryFolder(), 'text');
    await writeFile(file, 'exit 0\n');
    await chmod(file, 0o600);
    expect(await run([file])).toMatchObject({ ok: false, reason: 'local' });
  });

  it('kills what runs when sluice stops, and starts no more', async () => {
    const file = join(await temporaryFolder(), 'pids');
    const stop = new AbortController();
    const ask = createExecProbe({ clock: systemClock(), environment, stop: stop.signal });
    const command = shell('sleep 1000 & echo $$ $! > "$0"; wait', file);
    const where = { endpoint: loopback(5432), host: 'db1.internal', timeoutMs: 60_000 };
    const request = requestOf({ kind: 'exec', exec: { command } }, where);
    const running = ask(request);
    const readPids = async () => (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
    await expect.poll(readPids, { timeout: 10_000 }).toHaveLength(2);
    const pids = (await readPids()).map(Number);
    expect(pids.filter(isAlive)).toEqual(pids);
    stop.abort();
    const stopped = { ok: false, reason: 'local', facts: { detail: 'sluice stops' } };
    expect(await running).toMatchObject(stopped);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    expect(await ask(request)).toMatchObject({ ...stopped, latencyMs: 0 });
  });
});
