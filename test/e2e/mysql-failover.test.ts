// A failover of MariaDB with replication, as it happens: the primary dies or hangs, its replica is
// promoted, sluice follows; and what must not happen: a query that is cut because checks failed.
import { describe, expect, it } from 'vitest';
import {
  type RealMariadb,
  startMariadbPrimary,
  startMariadbReplica,
} from '../support/real-databases.js';
import { runProgram } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const timeoutMs = 60_000;

const listOf = (targets: readonly RealMariadb[]) =>
  targets.map(({ port }) => `{ address: "127.0.0.1:${port}", name: "p${port}" }`).join(', ');

const config = (targets: readonly RealMariadb[]) => `${configHead}
listeners:
  write: { bind: "127.0.0.1:0", pool: primary, timeouts: { idle: off } }
  read: { bind: "127.0.0.1:0", pool: replicas }
pools:
  primary:
    role: primary
    role_confirm: 3
    retries: 0
    targets: &mariadb [${listOf(targets)}]
    health: &health
      type: mysql
      login: { user: probe }
      interval: 800ms
      timeout: 800ms
      fall: 3
      rise: 1
  replicas: { role: replica, targets: *mariadb, health: *health }`;

/** What one statement answers, asked through sluice by a client of its own. */
async function ask(sluice: SluiceProcess, listener: string, text: string): Promise<string> {
  const { host, port } = await sluice.address(listener);
  const where = ['-h', host, '-P', String(port), '-u', 'client', '--protocol=tcp'];
  const args = ['--no-defaults', ...where, '-N', '-B', 'words', '-e', text];
  return (await runProgram('mariadb', args, { timeoutMs: 120_000 })).trim();
}

/** Two servers with a table that is replicated, and sluice before them. */
async function setup() {
  const first = await startMariadbPrimary();
  await first.sql(`create database words; create table words.words (word varchar(20));
    create user probe@'127.0.0.1'; create user client@'127.0.0.1';
    grant all on words.* to client@'127.0.0.1'`);
  const second = await startMariadbReplica(first);
  const copied = 'select count(*) from information_schema.tables where table_schema = "words"';
  await waitFor('the copy', async () => (await second.sql(copied)).trim() === '1', { timeoutMs });
  const sluice = await startSluice(config([first, second]), { eventTimeoutMs: timeoutMs });
  await isPicked(sluice, 'primary', first.port);
  await isPicked(sluice, 'replicas', second.port);
  return { first, second, sluice };
}

const promote = (replica: RealMariadb) =>
  replica.sql('stop slave; reset slave all; set global read_only = 0');

/** Everywhere, the target on this port is the only one of the pool that may be picked. */
async function isPicked(sluice: SluiceProcess, poolName: string, port: number): Promise<void> {
  await waitFor(
    `p${port} in ${poolName}`,
    async () => {
      const { generation, pools } = await sluice.status();
      if (generation.applied < generation.wanted) return false;
      const pool = pools.find(({ name }) => name === poolName);
      const eligible = pool?.targets.filter((target) => target.eligible) ?? [];
      return eligible.length === 1 && eligible[0]?.name === `p${port}`;
    },
    { timeoutMs },
  );
}

/** A query of a client at the primary that runs until somebody writes the word `go`. */
async function longQuery(sluice: SluiceProcess, primary: RealMariadb) {
  let outcome: 'running' | 'answered' | 'failed' = 'running';
  const untilGo = `delimiter //
begin not atomic
  while not exists (select 1 from words where word = 'go') do do sleep(0.02); end while;
end//`;
  const ended = ask(sluice, 'write', untilGo).then(
    () => {
      outcome = 'answered';
    },
    () => {
      outcome = 'failed';
    },
  );
  const running = `select count(*) from information_schema.processlist
    where user = 'client' and command = 'Query'`;
  await waitFor('the query', async () => (await primary.sql(running)).trim() === '1', {
    timeoutMs,
  });
  return { ended, outcome: () => outcome };
}

/** It lives and says nothing: so a server looks that is out of memory or disk. */
async function hang(sluice: SluiceProcess, { program, port }: RealMariadb): Promise<void> {
  const from = sluice.log.length;
  program.kill('SIGSTOP');
  await sluice.event(
    'target_health_changed',
    ({ pool, target, health }) =>
      pool === 'primary' && target === `p${port}` && health === 'unhealthy',
    from,
  );
}

const closings = ({ log }: SluiceProcess) =>
  log.filter(({ event }) => event === 'connections_closed');

const tools = requireTools('mariadbd', 'mariadb-install-db', 'mariadb');

describe.runIf(tools)('a failover of MariaDB', () => {
  it('is followed when the primary dies and its replica is promoted', async () => {
    const { first, second, sluice } = await setup();
    await ask(sluice, 'write', `insert into words values ('before')`);
    const words = () => ask(sluice, 'read', 'select word from words');
    await waitFor('the copy', async () => (await words()) === 'before', { timeoutMs });
    await expect(ask(sluice, 'read', `insert into words values ('no')`)).rejects.toThrow(
      /read-only/,
    );

    first.program.kill('SIGKILL');
    await promote(second);
    const changed = await sluice.event('primary_changed', ({ previous }) => previous !== '');
    expect(changed).toMatchObject({ target: `p${second.port}`, previous: `p${first.port}` });
    await isPicked(sluice, 'primary', second.port);
    await ask(sluice, 'write', `insert into words values ('after')`);
    expect(await ask(sluice, 'write', 'select word from words order by word')).toBe(
      'after\nbefore',
    );
  });

  it('is not made of checks that fail: a query goes on while its primary hangs', async () => {
    const { first, sluice } = await setup();
    const query = await longQuery(sluice, first);
    await hang(sluice, first);
    first.program.kill('SIGCONT');
    await isPicked(sluice, 'primary', first.port);
    expect(query.outcome()).toBe('running');
    await ask(sluice, 'write', `insert into words values ('go')`);
    await query.ended;
    expect(query.outcome()).toBe('answered');
    expect(closings(sluice)).toEqual([]);
  });

  it('cuts the queries of the old primary only when the new one is confirmed', async () => {
    const { first, second, sluice } = await setup();
    const query = await longQuery(sluice, first);
    await hang(sluice, first);
    expect(query.outcome()).toBe('running');
    expect(closings(sluice)).toEqual([]);

    await promote(second);
    await query.ended;
    expect(query.outcome()).toBe('failed');
    const closed = await sluice.event('connections_closed');
    const changed = sluice.log.findIndex(
      ({ event, previous }) => event === 'primary_changed' && previous !== '',
    );
    expect(sluice.log[changed]).toMatchObject({ target: `p${second.port}` });
    expect(sluice.log.indexOf(closed)).toBeGreaterThan(changed);

    // The old one comes back and still takes writes.
    first.program.kill('SIGCONT');
    await sluice.event('split_brain');
    await isPicked(sluice, 'primary', second.port);
  });
});
