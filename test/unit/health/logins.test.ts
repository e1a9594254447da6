// Passwords of probes: read for every probe, and a file that cannot be read is spoken of once.
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Logins } from '../../../src/health/logins.js';
import type { Login } from '../../../src/model/health-check.js';
import { temporaryFolder } from '../../support/real-server.js';
import { createRecordingLogger } from '../../support/recording-logger.js';

async function setup() {
  const file = join(await temporaryFolder(), 'password');
  const log = createRecordingLogger();
  const login: Login = { user: 'probe', passwordFile: file, database: '' };
  return { file, log, login, logins: new Logins(log) };
}

describe('a password', () => {
  test('is the first line of its file, read anew every time', async () => {
    const { file, log, login, logins } = await setup();
    await writeFile(file, 'one\r\nmore\n');
    expect(await logins.credentials(login)).toMatchObject({ user: 'probe', password: 'one' });
    await writeFile(file, 'two');
    expect(await logins.credentials(login)).toMatchObject({ password: 'two' });
    expect(log.events).toEqual([]);
  });

  test('that cannot be had is our own fault, logged once until it can be had', async () => {
    const { file, log, login, logins } = await setup();
    for (let probe = 0; probe < 3; probe++) {
      expect(await logins.credentials(login)).toEqual({
        ok: false,
        reason: 'local',
        facts: { detail: 'login.password_file: ENOENT' },
      });
    }
    expect(log.of('password_file_unreadable')).toEqual([{ file, reason: 'ENOENT' }]);
    await writeFile(file, 'secret');
    for (let probe = 0; probe < 2; probe++) await logins.credentials(login);
    expect(log.of('password_file_readable')).toEqual([{ file }]);
    await rm(file);
    await logins.credentials(login);
    expect(log.of('password_file_unreadable')).toHaveLength(2);
    expect(JSON.stringify(log.events)).not.toContain('secret');
  });

  test('is not asked for where no login, or none with a password, is configured', async () => {
    const { log, login, logins } = await setup();
    expect(await logins.credentials(null)).toBe(null);
    const without = { ...login, passwordFile: '' };
    expect(await logins.credentials(without)).toMatchObject({ user: 'probe', password: '' });
    expect(log.events).toEqual([]);
  });
});
