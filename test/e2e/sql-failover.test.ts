// Failovers of PostgreSQL and MariaDB with replication, as they happen: the primary dies or hangs,
// its replica is promoted, sluice follows; and what must not happen: a query that is cut because
// checks failed.
import { describe, expect, it } from 'vitest';
import { onlyPick } from '../support/only-pick.js';
import {
  startMariadbPrimary,
  startMariadbReplica,
  startPostgres,
  startPostgresReplica,
} from '../support/real-databases.js';
import { type RealServer, runProgram } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const timeoutMs = 60_000;

interface SqlServer extends RealServer {
  /** As its superuser, past sluice. */
  sql(text: string): Promise<string>;
}

interface Kind {
  readonly name: string;
  readonly tools: Parameters<typeof requireTools>;
  /** Of the pools, for a probe that logs in. */
  readonly health: string;
  /** A primary with an empty table `words`, and its replica, which has that. */
  start(): Promise<readonly [first: SqlServer, second: SqlServer]>;
  /** The program that asks one statement as a client of its own. */
  ask(host: string, port: number, text: string): Promise<string>;
  readonly promote: string;
  /** Runs until somebody writes the word `go`. */
  readonly untilGo: string;
  /** How many statements of clients run now. */
  readonly running: string;
}

const postgresql: Kind = {
  name: 'PostgreSQL',
  tools: ['postgres', 'psql'],
  health: 'type: postgresql, login: { user: postgres }',
  async start() {
    const everybody = 'host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust';
    const first = await startPostgres(everybody);
    await first.sql('create table words (word text)');
    return [first, await startPostgresReplica(first)];
  },
  ask: (host, port, text) => {
    const where = `host=${host} port=${port} user=postgres dbname=postgres application_name=client`;
    const args = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', where, '-c', text];
    return runProgram('psql', args, { timeoutMs: 2 * timeoutMs });
  },
  promote: 'select pg_promote()',
  untilGo: `do $$ begin
    while not exists (select from words where word = 'go') loop perform pg_sleep(0.02); end loop;
  end $$`,
  running: `select count(*) from pg_stat_activity
    where application_name = 'client' and state = 'active'`,
};

const mariadb: Kind = {
  name: 'MariaDB',
  tools: ['mariadbd', 'mariadb-install-db', 'mariadb'],
  health: 'type: mysql, login: { user: probe }',
  async start() {
    const first = await startMariadbPrimary();
    await first.sql(`create database words; create table words.words (word varchar(20));
      create user probe@'127.0.0.1'; create user client@'127.0.0.1';
      grant all on words.* to client@'127.0.0.1'`);
    const second = await startMariadbReplica(first);
    const copied = 'select count(*) from information_schema.tables where table_schema = "words"';
    await waitFor('the copy', async () => (await second.sql(copied)).trim() === '1', { timeoutMs });
    return [first, second];
  },
  ask: (host, port, text) => {
    const where = ['-h', host, '-P', String(port), '-u', 'client', '--protocol=tcp'];
    const args = ['--no-defaults', ...where, '-N', '-B', 'words', '-e', text];
    return runProgram('mariadb', args, { timeoutMs: 2 * timeoutMs });
  },
  promote: 'stop slave; reset slave all; set global read_only = 0',
  untilGo: `delimiter //
begin not atomic
  while not exists (select 1 from words where word = 'go') do do sleep(0.02); end while;
end//`,
  running: `select count(*) from information_schema.processlist
    where user = 'client' and command = 'Query'`,
};

function configOf(servers: readonly SqlServer[], health: string): string {
  const targets = servers
    .map(({ port }) => `{ address: "127.0.0.1:${port}", name: "p${port}" }`)
    .join(', ');
  return `${configHead}
listeners:
  write: { bind: "127.0.0.1:0", pool: primary, timeouts: { idle: off } }
  read: { bind: "127.0.0.1:0", pool: replicas }
pools:
  primary:
    role: primary
    role_confirm: 3
    retries: 0
    targets: &servers [${targets}]
    health: &health { ${health}, interval: 800ms, timeout: 800ms, fall: 3, rise: 1 }
  replicas: { role: replica, targets: *servers, health: *health }`;
}

/** Two servers with a table that is replicated, and sluice before them. */
async function setup(kind: Kind) {
  const [first, second] = await kind.start();
  const config = configOf([first, second], kind.health);
  const sluice = await startSluice(config, { eventTimeoutMs: timeoutMs });
  const isPicked = (pool: string, { port }: SqlServer) =>
    onlyPick(sluice, pool, `p${port}`, timeoutMs);
  await isPicked('primary', first);
  await isPicked('replicas', second);
  const ask = async (listener: string, text: string): Promise<string> => {
    const { host, port } = await sluice.address(listener);
    return (await kind.ask(host, port, text)).trim();
  };
  return { first, second, sluice, isPicked, ask };
}

type Setup = Awaited<ReturnType<typeof setup>>;

/** A query of a client at the primary. */
async function longQuery({ untilGo, running }: Kind, { ask, first }: Setup) {
  let outcome: 'running' | 'answered' | 'failed' = 'running';
  const ended = ask('write', untilGo).then(
    () => {
      outcome = 'answered';
    },
    () => {
      outcome = 'failed';
    },
  );
  await waitFor('the query', async () => (await first.sql(running)).trim() === '1', { timeoutMs });
  return { ended, outcome: () => outcome };
}

/** The primary lives and says nothing: so a server looks that is out of memory or disk. */
async function hang({ sluice, first }: Setup): Promise<void> {
  const from = sluice.log.length;
  first.program.kill('SIGSTOP');
  await sluice.event(
    'target_health_changed',
    ({ pool, target, health }) =>
      pool === 'primary' && target === `p${first.port}` && health === 'unhealthy',
    from,
  );
}

const closings = ({ log }: SluiceProcess) =>
  log.filter(({ event }) => event === 'connections_closed');

describe.each([postgresql, mariadb])('a failover of $name', (kind) => {
  const test = it.runIf(requireTools(...kind.tools));

  test('is followed when the primary dies and its replica is promoted', async () => {
    const { first, second, sluice, isPicked, ask } = await setup(kind);
    await ask('write', `insert into words values ('before')`);
    const words = () => ask('read', 'select word from words');
    await waitFor('the copy', async () => (await words()) === 'before', { timeoutMs });
    await expect(ask('read', `insert into words values ('no')`)).rejects.toThrow(/read-only/);

    first.program.kill('SIGKILL');
    await second.sql(kind.promote);
    const changed = await sluice.event('primary_changed', ({ previous }) => previous !== '');
    expect(changed).toMatchObject({ target: `p${second.port}`, previous: `p${first.port}` });
    await isPicked('primary', second);
    await ask('write', `insert into words values ('after')`);
    expect(await ask('write', 'select word from words order by word')).toBe('after\nbefore');
  });

  test('is not made of checks that fail: a query goes on while its primary hangs', async () => {
    const all = await setup(kind);
    const query = await longQuery(kind, all);
    await hang(all);
    all.first.program.kill('SIGCONT');
    await all.isPicked('primary', all.first);
    expect(query.outcome()).toBe('running');
    await all.ask('write', `insert into words values ('go')`);
    await query.ended;
    expect(query.outcome()).toBe('answered');
    expect(closings(all.sluice)).toEqual([]);
  });

  test('cuts the queries of the old primary only when the new one is confirmed', async () => {
    const all = await setup(kind);
    const { first, second, sluice } = all;
    const query = await longQuery(kind, all);
    await hang(all);
    expect(query.outcome()).toBe('running');
    expect(closings(sluice)).toEqual([]);

    await second.sql(kind.promote);
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
    await all.isPicked('primary', second);
  });
});
