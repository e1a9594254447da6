// The commands that ask a running sluice or compare files, as one types them: what they print, in
// which stream, with which exit code; and what a hostile answer may do to a terminal (nothing).
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/real-server.js';
import { configHead, mainPath, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Not spawnSync: the server that it asks may live in this process. */
function sluice(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const options = { env: { ...process.env, ...env } };
  return new Promise((resolve) => {
    execFile(process.execPath, [mainPath, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      resolve({ code, stdout, stderr });
    });
  });
}

const config = `${configHead}listeners:
  web: { bind: "127.0.0.1:0", pool: web }
pools:
  web:
    health: none
    targets:
      - { address: "127.0.0.1:9", name: a }
      - { address: "127.0.0.1:10", name: b, weight: 0 }
`;

async function started(): Promise<Readonly<Record<string, string>>> {
  const running = await startSluice(config);
  return { SLUICE_ADMIN: String((await running.event('ready')).adminAddress) };
}

describe('a running sluice', () => {
  it('is shown by status, for people and as JSON', async () => {
    const env = await started();
    const { code, stdout, stderr } = await sluice(['status'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^sluice \S+ {2}ready {2}generation \d+ of \d+\n/);
    expect(stdout).toMatch(/web +tcp +web +0 +0 +127\.0\.0\.1:\d+/);
    expect(stdout).toMatch(/web +round_robin +none +0 +1 of 2 eligible, 2 unknown/);
    expect(stdout).not.toContain('\x1b');
    const json = JSON.parse((await sluice(['status', '--json'], env)).stdout);
    expect(json).toMatchObject({ ready: true, listeners: [{ name: 'web' }] });
  });

  it('lists targets of all pools, of one, and filtered', async () => {
    const env = await started();
    const all = await sluice(['targets'], env);
    expect(all.stdout).toMatch(/^POOL\/TARGET .*\nweb\/a +127\.0\.0\.1:9 +unknown +enabled +1 /);
    const found = await sluice(['targets', 'web', '--search', ':10', '--json'], env);
    expect(JSON.parse(found.stdout)).toMatchObject({ targets: [{ pool: 'web', name: 'b' }] });
    const wrong = await sluice(['targets', 'nonsense'], env);
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('there is no pool "nonsense" (SLUICE_ADMIN_NAME)');
  });

  it('is watched by top without a terminal: as many frames as were asked for', async () => {
    const env = await started();
    const { code, stdout } = await sluice(['top', '--count', '2', '--interval', '0.1'], env);
    expect(code).toBe(0);
    expect(stdout.match(/^TARGET \(by name\)/gm)).toHaveLength(2);
    expect(stdout).toContain('web/a');
    expect(stdout).not.toContain('\x1b');
    const json = await sluice(['top', '--json', '--interval', '0.1'], env);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ready: true,
      series: [{ name: 'web' }, {}, {}],
    });
  });

  it('tells what has happened: all of it, the last, some sorts, and as JSON', async () => {
    const env = await started();
    await sluice(['weight', 'web/a', '3'], env);
    await sluice(['disable', 'web/a'], env);
    const { code, stdout, stderr } = await sluice(['events'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^\S+Z {2}info {3}ready {2}\S/m);
    expect(stdout).toMatch(/ target_admin_state_changed {2}pool=web target=a .*=disabled\b/);
    const last = await sluice(['events', '--tail', '1', '--event', 'ready', '--json'], env);
    expect(JSON.parse(last.stdout)).toMatchObject({ event: 'ready', level: 'info' });
    expect(await sluice(['events', '--level', 'error'], env)).toMatchObject({ stdout: '' });
    expect((await sluice(['events', '--tail', '-1'], env)).code).toBe(2);
  });

  it('is followed until nobody reads any more, which is no failure', async () => {
    const env = await started();
    const shell = `"$0" "$@" | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const args = ['-c', shell, process.execPath, mainPath, 'events', '--follow', '--json'];
    const following = spawn('bash', args, { env: { ...process.env, ...env }, detached: true });
    // With what it has started: head may have gone and the command not yet.
    onTestFinished(() => {
      if (following.exitCode === null && following.pid) process.kill(-following.pid, 'SIGKILL');
    });
    let [stdout, stderr] = ['', ''];
    following.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    following.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = once(following, 'close');
    await waitFor('the first event', () => stdout.includes('\n'));
    // Written to nobody: that is how it sees that the reader has left, if not by the first then by
    // one that comes after head has ended.
    for (const verb of ['disable', 'enable', 'disable', 'enable']) {
      if (following.exitCode === null) await sluice([verb, 'web/a'], env);
    }
    await ended;
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\{"event":"ready",.*\}\n0\n$/);
  });

  it('gives its targets to the completion, and nobody gives none', async () => {
    const env = await started();
    const { stdout } = await sluice(['complete-words', '--', 'drain', 'web/'], env);
    expect(stdout).toBe('web/a\t\nweb/b\t\n');
    const none = await sluice(['complete-words', '--', 'drain', '--admin', '127.0.0.1:1', '']);
    expect(none).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('a hostile answer', () => {
  it('moves no cursor: escapes and other controls are shown as marks', async () => {
    const evil = '\x1b]0;owned\x07\x1b[2J\r\n\u202ea';
    const target = {
      name: evil,
      address: evil,
      health: evil,
      healthReason: evil,
      adminState: evil,
    };
    const pool = { name: evil, policy: evil, healthCheck: evil, targets: [target] };
    const listener = { name: evil, protocol: evil, pool: evil, addresses: [evil] };
    const server = createServer((request, response) => {
      const bad = request.url?.includes('targets');
      response.statusCode = bad ? 404 : 200;
      const body = { version: evil, listeners: [listener], pools: [pool], error: evil, code: evil };
      response.end(JSON.stringify(body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const admin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const command of [
      ['status'],
      ['targets'],
      ['top', '--interval', '0.1'],
      ['enable', 'web/a'],
      ['complete-words', '--', 'drain', ''],
    ]) {
      const { stdout, stderr } = await sluice(command, { SLUICE_ADMIN: admin });
      expect(stdout + stderr, command[0]).toContain('owned');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose.
      expect(stdout + stderr, command[0]).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f\u202e]/);
    }
  });
});

describe('sluice diff', () => {
  it('says what changes between two files, what needs a restart, and what is wrong', async () => {
    const folder = await temporaryFolder();
    const fileOf = (name: string): string => join(folder, name);
    const [old, changed, broken] = [fileOf('old.yaml'), fileOf('new.yaml'), fileOf('bad.yaml')];
    writeFileSync(old, config);
    writeFileSync(changed, config.replace('weight: 0', 'weight: 3').replace(':0" }', ':1" }'));
    writeFileSync(broken, 'listeners: {}\n');
    const { code, stdout } = await sluice(['diff', old, changed]);
    expect(code).toBe(0);
    expect(stdout).toContain('changed pools.web.targets[b].weight: 0 -> 3\n');
    expect(stdout).toMatch(/changed admin\.listen: .*\(needs a restart\)\n/);
    expect((await sluice(['diff', old, old])).stdout).toBe('nothing changes\n');
    const json = await sluice(['diff', '--json', old, changed]);
    expect(JSON.parse(json.stdout).changes).toContainEqual(
      expect.objectContaining({ kind: 'changed', path: 'pools.web.targets[b].weight' }),
    );
    const bad = await sluice(['diff', old, broken]);
    expect(bad).toMatchObject({ code: 2, stdout: '' });
    expect(bad.stderr).toContain('SLUICE_CONFIG_MISSING');
  });
});

describe('sluice init', () => {
  it('prints a commented default where nobody can be asked', async () => {
    const { code, stdout, stderr } = await sluice(['init']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('# Where clients arrive');
  });

  it('takes its answers from options, and says which of them is wrong', async () => {
    const made = await sluice([
      'init',
      '--service',
      'dns',
      '--listen',
      ':5300',
      '--to',
      '10.0.0.9:53',
    ]);
    expect(made.stdout).toMatch(/bind: ":5300"\n {4}protocol: udp\n[\s\S]*- "10\.0\.0\.9:53"\n/);
    const wrong = await sluice(['init', '--to', 'no-port']);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('has no port');
    expect((await sluice(['init', '--service', 'redis', '--health', 'http'])).code).toBe(2);
    expect((await sluice(['init', '--service', 'nonsense'])).code).toBe(2);
  });
});

describe('changes at run time', () => {
  it('give a target another weight, until a reload or for good', async () => {
    const running = await startSluice(config);
    const env = { SLUICE_ADMIN: String((await running.event('ready')).adminAddress) };
    const weightOf = async (): Promise<unknown> =>
      (await running.status()).pools[0]?.targets[0]?.weight;
    const set = await sluice(['weight', 'web/a', '7'], env);
    expect(set).toMatchObject({
      code: 0,
      stdout: 'web/a has the weight 7, until the next reload\n',
    });
    expect(await weightOf()).toBe(7);
    const differs = await sluice(['diff', running.configPath], env);
    expect(differs.stdout).toBe('changed pools.web.targets[a].weight: 7 -> 1\n');
    expect(await sluice(['reload'], env)).toMatchObject({ code: 0 });
    expect(await weightOf()).toBe(1);
    const kept = await sluice(['weight', 'web/a', '5', '--persist', '--json'], env);
    expect(JSON.parse(kept.stdout)).toMatchObject({ persisted: true });
    await sluice(['reload'], env);
    expect(await weightOf()).toBe(5);
  });

  it('say what is wrong, and change nothing', async () => {
    const running = await startSluice(config);
    const env = { SLUICE_ADMIN: String((await running.event('ready')).adminAddress) };
    const unknown = await sluice(['weight', 'web/nobody', '7'], env);
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toContain('(SLUICE_ADMIN_NAME)');
    expect((await sluice(['weight', 'web/a', 'heavy'], env)).code).toBe(2);
    await running.writeConfig('listeners: {}\n');
    const refused = await sluice(['reload'], env);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/needs at least one listener/);
    expect((await running.status()).listeners).toHaveLength(1);
  });
});
