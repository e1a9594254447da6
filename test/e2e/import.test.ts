// sluice import as a user meets it: the command, its files and exit codes; and whether the programs
// whose files the fixtures are take them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { importFixtures } from '../support/import-fixtures.js';
import { requireTools } from '../support/require-tool.js';
import { mainPath } from '../support/sluice-process.js';

function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

const sluice = (...args: string[]) => run(process.execPath, mainPath, ...args);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-import-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function fixture(kind: 'haproxy' | 'nginx', name: string): string {
  const found = importFixtures(kind).find((one) => one.name === name);
  if (found === undefined) throw new Error(`no fixture ${name}`);
  return found.path;
}

/** Fixtures that need nothing of the machine: no certificate, name, user or newer version. */
const accepted = {
  haproxy: [
    ...['a-large-global', 'backups', 'choosing-by-content', 'database-checks', 'environment'],
    ...['every-balance', 'galera', 'hashing', 'http-beside-tcp', 'http-checks'],
    ...['inherited-defaults', 'limits-and-queues', 'names-and-ports', 'no-timeouts', 'one-listen'],
    ...['other-checks', 'passive-failures', 'sticky-clients', 'times-in-every-unit'],
  ],
  nginx: [
    ...['access-and-limits', 'chosen-by-name', 'chosen-without-default', 'dns-both-protocols'],
    ...['every-policy', 'failures', 'inherited-settings', 'only-http', 'overridden-everywhere'],
    ...['proxy-headers', 'quotes', 'smallest', 'split-clients', 'times', 'udp-bounds'],
  ],
};

describe.runIf(requireTools('haproxy'))('HAProxy', () => {
  for (const name of accepted.haproxy) {
    it(`takes ${name}.cfg`, () => {
      const { status, stderr } = run('haproxy', '-c', '-f', fixture('haproxy', `${name}.cfg`));
      expect(status, stderr).toBe(0);
    });
  }
});

describe.runIf(requireTools('nginx'))('nginx', () => {
  for (const name of accepted.nginx) {
    it(`takes ${name}.conf`, () => {
      const pid = `pid ${join(folder(), 'nginx.pid')};`;
      const path = fixture('nginx', `${name}.conf`);
      const { status, stderr } = run('nginx', '-t', '-e', 'stderr', '-c', path, '-g', pid);
      expect(status, stderr).toBe(0);
    });
  }
});

describe('sluice import', () => {
  it('writes a file that sluice check finds valid, and tells what is lost', () => {
    const output = join(folder(), 'sluice.yaml');
    const made = sluice('import', fixture('haproxy', 'galera.cfg'), '-o', output);
    expect(made).toMatchObject({ status: 0, stdout: '' });
    expect(made.stderr).toMatch(/\d+ carried over, \d+ not needed, 0 lost\n$/);
    const checked = sluice('check', '--json', output);
    expect(JSON.parse(checked.stdout)).toMatchObject({ valid: true });
  });

  it('prints the file where no output is named, and colours nothing in a pipe', () => {
    const { status, stdout, stderr } = sluice('import', fixture('nginx', 'chosen-by-name.conf'));
    expect(status).toBe(0);
    expect(stdout).toContain('policy: round_robin');
    expect(stderr).toContain(':5:5  lost  map $ssl_preread_server_name $chosen\n');
    expect(stdout + stderr).not.toContain('\x1b');
  });

  it('replaces a file only by force', () => {
    const output = join(folder(), 'sluice.yaml');
    writeFileSync(output, 'mine\n');
    const source = fixture('nginx', 'smallest.conf');
    const refused = sluice('import', source, '-o', output);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain(`${output} exists; --force replaces it\n`);
    expect(readFileSync(output, 'utf8')).toBe('mine\n');
    expect(sluice('import', source, '-o', output, '--force').status).toBe(0);
    expect(readFileSync(output, 'utf8')).toContain('listeners:');
  });

  it('gives all of it as JSON', () => {
    const { stdout } = sluice('import', '--json', fixture('haproxy', 'proxy-headers.cfg'));
    const { kind, counts, findings, yaml } = JSON.parse(stdout);
    expect(kind).toBe('haproxy');
    expect(findings).toHaveLength(counts.carried + counts.not_needed + counts.lost);
    expect(findings).toContainEqual(
      expect.objectContaining({ line: 9, column: 29, fate: 'lost', subject: 'send-proxy' }),
    );
    expect(yaml).toContain('listeners:');
  });

  it('fails with 1 where nothing is left, and with 2 where there is no file', () => {
    const nothing = sluice('import', fixture('nginx', 'only-http.conf'));
    expect(nothing.status).toBe(1);
    expect(nothing.stderr).toContain('holds nothing that sluice can balance (read as nginx;');
    const absent = sluice('import', join(folder(), 'absent.cfg'));
    expect(absent.status).toBe(2);
    expect(absent.stderr).toContain('absent.cfg: there is no such file\n');
  });

  it('lets no escape of a file reach the terminal', () => {
    const source = join(folder(), 'evil.cfg');
    writeFileSync(source, 'listen a\n  bind 127.0.0.1:1\n  \x1b]0;x\x07evil \x1b[2J\n');
    const { stdout, stderr } = sluice('import', source);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose.
    expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });
});
