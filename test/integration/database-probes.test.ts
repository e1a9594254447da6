// The probes of databases against the real ones: who serves, who is the primary, and every login.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { Logins } from '../../src/health/logins.js';
import { createMysqlProbe } from '../../src/health/mysql-probe.js';
import { createPostgresqlProbe } from '../../src/health/postgresql-probe.js';
import { createRedisProbe } from '../../src/health/redis-probe.js';
import type { Login } from '../../src/model/health-check.js';
import { loopback, requestOf } from '../support/probe-request.js';
import { startMariadb, startPostgres, startPostgresReplica } from '../support/real-databases.js';
import { runProgram, startRedis, temporaryFolder } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { waitFor } from '../support/wait-for.js';

const clock = systemClock();
const timeoutMs = 10_000;
const tools = { clock, logins: new Logins({ event: () => undefined }) };
const redisProbe = createRedisProbe(tools);
const postgresqlProbe = createPostgresqlProbe(tools);
const mysqlProbe = createMysqlProbe(tools);

const askRedis = (port: number, login: Login | null = null) =>
  redisProbe(requestOf({ kind: 'redis', login }, { endpoint: loopback(port), timeoutMs }));
const askPostgresql = (port: number, login: Login | null = null) =>
  postgresqlProbe(
    requestOf({ kind: 'postgresql', login }, { endpoint: loopback(port), timeoutMs }),
  );
const askMysql = (port: number, login: Login | null = null) =>
  mysqlProbe(requestOf({ kind: 'mysql', login }, { endpoint: loopback(port), timeoutMs }));

/** A login with its password in a file, as an editor leaves one. */
async function loginOf(user: string, password: string): Promise<Login> {
  const passwordFile = join(await temporaryFolder(), 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  return { user, passwordFile, database: '' };
}

const asPrimary = { ok: true, reason: 'answered', facts: { role: 'primary' } };
const asReplica = { ok: true, reason: 'answered', facts: { role: 'replica' } };

describe.runIf(requireTools('redis-server', 'redis-cli'))('the redis probe', () => {
  it('knows primary and replica, and follows a promotion', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    const cli = (...args: string[]) =>
      runProgram('redis-cli', ['-p', String(second.port), ...args]);
    await cli('replicaof', '127.0.0.1', String(first.port));
    expect(await askRedis(first.port)).toMatchObject(asPrimary);
    expect(await askRedis(second.port)).toMatchObject(asReplica);
    await cli('replicaof', 'no', 'one');
    expect(await askRedis(second.port)).toMatchObject(asPrimary);
  });

  it('logs in by password and by user, and says when that is refused', async () => {
    const redis = await startRedis();
    const cli = (...args: string[]) => runProgram('redis-cli', ['-p', String(redis.port), ...args]);
    const password = randomBytes(12).toString('hex');
    await cli('acl', 'setuser', 'probe', 'on', `>${password}`, '+ping', '+role');
    await cli('config', 'set', 'requirepass', password);
    // Alive, which is all that can be known without the password.
    expect(await askRedis(redis.port)).toMatchObject({
      ok: true,
      facts: { detail: expect.stringContaining('NOAUTH') },
    });
    expect(await askRedis(redis.port, await loginOf('', password))).toMatchObject(asPrimary);
    expect(await askRedis(redis.port, await loginOf('probe', password))).toMatchObject(asPrimary);
    expect(await askRedis(redis.port, await loginOf('', 'wrong'))).toMatchObject({
      ok: false,
      reason: 'login_failed',
      facts: { detail: expect.stringContaining('WRONGPASS') },
    });
  });

  it('does not trust a replica that has lost its primary and was told not to serve', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()]);
    const cli = (...args: string[]) =>
      runProgram('redis-cli', ['-p', String(second.port), ...args]);
    await cli('config', 'set', 'replica-serve-stale-data', 'no');
    await cli('replicaof', '127.0.0.1', String(first.port));
    await waitFor('the link', async () => (await askRedis(second.port)).ok, { timeoutMs });
    first.program.kill('SIGKILL');
    const down = await waitFor(
      'the loss',
      async () => {
        const result = await askRedis(second.port);
        return result.ok ? null : result;
      },
      { timeoutMs },
    );
    expect(down).toMatchObject({
      reason: 'not_ready',
      facts: { detail: expect.stringContaining('MASTERDOWN') },
    });
  });
});

describe.runIf(requireTools('postgres', 'psql'))('the postgresql probe', () => {
  it('logs in by every way, asks for the role, and without a login sees life', async () => {
    const hba = ['trust', 'password', 'md5', 'scram-sha-256']
      .map((way) => `host all probe_${way.replaceAll('-', '_')} 127.0.0.1/32 ${way}`)
      .join('\n');
    const postgres = await startPostgres(hba);
    const password = `pässword ${randomBytes(8).toString('hex')}`;
    await postgres.sql(`create role probe_trust login`);
    for (const [way, kept] of [
      ['password', 'scram-sha-256'],
      ['md5', 'md5'],
      ['scram_sha_256', 'scram-sha-256'],
    ]) {
      await postgres.sql(
        `set password_encryption = '${kept}';
         create role probe_${way} login password '${password}'`,
      );
    }
    for (const way of ['trust', 'password', 'md5', 'scram_sha_256']) {
      const right = await loginOf(`probe_${way}`, password);
      expect(await askPostgresql(postgres.port, right), way).toMatchObject(asPrimary);
      if (way === 'trust') continue;
      const wrong = await loginOf(`probe_${way}`, 'wrong');
      expect(await askPostgresql(postgres.port, wrong), way).toMatchObject({
        ok: false,
        reason: 'login_failed',
        facts: { detail: expect.stringMatching(/^28P01 /) },
      });
    }
    // No such role, and no line for it in pg_hba.conf: refused, so it lives.
    expect(await askPostgresql(postgres.port)).toMatchObject({ ok: true, reason: 'answered' });
  });

  it('knows a replica, follows its promotion, and leaves no complaint in the log', async () => {
    const everybody = 'host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust';
    const primary = await startPostgres(everybody);
    const replica = await startPostgresReplica(primary);
    const login: Login = { user: 'postgres', passwordFile: '', database: '' };
    expect(await askPostgresql(primary.port, login)).toMatchObject(asPrimary);
    expect(await askPostgresql(replica.port, login)).toMatchObject(asReplica);
    expect(await askPostgresql(primary.port)).toMatchObject({ ok: true });
    expect(primary.log() + replica.log()).not.toMatch(/reset by peer|unexpected EOF|lost/);
    expect(primary.log()).toContain('ready to accept connections');
    primary.program.kill('SIGKILL');
    await once(primary.program, 'close');
    expect(await askPostgresql(primary.port, login)).toMatchObject({ ok: false });
    await replica.sql('select pg_promote()');
    expect(await askPostgresql(replica.port, login)).toMatchObject(asPrimary);
  });
});

describe.runIf(requireTools('mariadbd', 'mariadb-install-db', 'mariadb'))('the mysql probe', () => {
  it('knows by read_only whether it may be written to, and does not get blocked', async () => {
    const mariadb = await startMariadb();
    const password = randomBytes(12).toString('hex');
    await mariadb.sql(`create user probe@'127.0.0.1' identified by '${password}'`);
    const right = await loginOf('probe', password);
    expect(await askMysql(mariadb.port, right)).toMatchObject(asPrimary);
    await mariadb.sql('set global read_only = 1');
    expect(await askMysql(mariadb.port, right)).toMatchObject(asReplica);
    expect(await askMysql(mariadb.port, await loginOf('probe', 'wrong'))).toMatchObject({
      ok: false,
      reason: 'login_failed',
      facts: { detail: expect.stringContaining('1045') },
    });
    // More than max_connect_errors: broken handshakes would block us from here on.
    await mariadb.sql('set global max_connect_errors = 5');
    for (let ask = 0; ask < 20; ask++) {
      expect(await askMysql(mariadb.port)).toMatchObject({
        ok: true,
        facts: { detail: expect.stringContaining('MariaDB') },
      });
    }
    expect(await askMysql(mariadb.port, right)).toMatchObject(asReplica);
  });
});
