// From `sluice token` to a change by its bearer, in the real process; and no secret in its log.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { askAdmin, mainPath, startSluice } from '../support/sluice-process.js';

function command(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const;
  return spawnSync(process.execPath, [mainPath, ...args], options);
}

const parts = `listeners: { in: { bind: "127.0.0.1:0", pool: web } }
pools: { web: { targets: ["127.0.0.1:1"], health: none } }
`;

it('a token that the command made lets its bearer change what its role may', async () => {
  const made = command(['token', '--name', 'deploy', '--role', 'admin']);
  const token = made.stdout.trim();
  const reader = JSON.parse(command(['token', '--json']).stdout) as Record<string, string>;
  expect(reader).toMatchObject({ name: 'operator', role: 'read' });
  // What is printed for the configuration is put there as it is.
  const entries = made.stderr.slice(made.stderr.indexOf('  tokens:'));
  const { token: readerToken = '', ...readerEntry } = reader;
  const admin = `admin:\n  listen: "127.0.0.1:0"\n${entries}    - ${JSON.stringify(readerEntry)}\n`;
  const log = 'log: { format: json, level: debug }\n';
  const sluice = await startSluice(`${admin}${log}${parts}`);
  const address = String((await sluice.event('ready')).adminAddress);
  expect((await askAdmin(address, '/api/v1/status')).status).toBe(401);

  const args = ['disable', 'web/127.0.0.1:1', '--admin', address];
  expect(command(args)).toMatchObject({ status: 1, stderr: expect.stringContaining('_TOKEN') });
  expect(command(args, { SLUICE_TOKEN: readerToken }).stderr).toContain('SLUICE_ADMIN_ROLE');
  expect(command(args, { SLUICE_TOKEN: token }).status).toBe(0);
  expect(await sluice.event('admin_change', ({ who }) => who === 'deploy')).toMatchObject({
    source: '127.0.0.1',
    operation: 'disableTarget',
    status: 200,
  });

  // A reload revokes it.
  const left = `admin: { listen: "127.0.0.1:0", tokens: [${JSON.stringify(readerEntry)}] }`;
  await sluice.writeConfig(`${left}\n${log}${parts}`);
  sluice.signal('SIGHUP');
  await sluice.event('reload_applied');
  expect(command(args, { SLUICE_TOKEN: token }).stderr).toContain('SLUICE_ADMIN_TOKEN');
  expect(JSON.stringify(sluice.log) + sluice.stderr()).not.toMatch(/sluice_[\w-]{43}/);
});

it('an address on the network is refused without tokens, at start as by check', async () => {
  const exposed = `admin: { listen: "0.0.0.0:0" }\n${parts}`;
  for (const options of [{}, { command: 'check' }] as const) {
    const sluice = await startSluice(exposed, { waitReady: false, ...options });
    expect(await sluice.exited).toMatchObject({ code: 2 });
    expect(sluice.stderr()).toContain(':1:18  admin.listen  ');
    expect(sluice.stderr()).toContain('SLUICE_CONFIG_ADMIN_OPEN');
  }
});

it('the command refuses names and roles that the configuration would not take', () => {
  for (const args of [
    ['--name', 'a b'],
    ['--role', 'root'],
  ]) {
    expect(command(['token', ...args])).toMatchObject({ status: 2, stdout: '' });
  }
});
