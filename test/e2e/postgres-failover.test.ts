// A failover of PostgreSQL with streaming replication, as it happens: the primary dies or hangs,
// its replica is promoted, sluice follows; and what must not happen: a query that is cut because
// checks failed.
import { describe, expect, it } from 'vitest';
import {
  type RealPostgres,
  startPostgres,
  startPostgresReplica,
} from '../support/real-databases.js';
import { runProgram } from '../support/real-server.js';
import { requireTools } from '../support/require-tool.js';
import { configHead, type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const timeoutMs = 30_000;
const everybody = 'host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust';

const listOf = (targets: readonly RealPostgres[]) =>
  targets.map(({ port }) => `{ address: "127.0.0.1:${port}", name: "p${port}" }`).join(', ');

const config = (targets: readonly RealPostgres[]) => `${configHead}
listeners:
  write: { bind: "127.0.0.1:0", pool: primary, timeouts: { idle: off } }
  read: { bind: "127.0.0.1:0", pool: replicas }
pools:
  primary:
    role: primary
    role_confirm: 3
    retries: 0
    targets: &postgres [${listOf(targets)}]
    health: &health
      type: postgresql
      login: { user: postgres }
      interval: 800ms
      timeout: 800ms
      fall: 3
      rise: 1
  replicas: { role: replica, targets: *postgres, health: *health }`;

/** What one statement answers, asked through sluice by a client of its own. */
async function ask(sluice: SluiceProcess, listener: string, text: string): Promise<string> {
  const { host, port } = await sluice.address(listener);
  const where = `host=${host} port=${port} user=postgres dbname=postgres application_name=client`;
  const args = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-d', where, '-c', text];
  return (await runProgram('psql', args, { timeoutMs: 60_000 })).trim();
}

/** Two servers with a table that is replicated, and sluice before them. */
async function setup() {
  const first = await startPostgres(everybody);
  await first.sql('create table words (word text)');
  const second = await startPostgresReplica(first);
  const sluice = await startSluice(config([first, second]), { eventTimeoutMs: timeoutMs });
  await isPicked(sluice, 'primary', first.port);
  await isPicked(sluice, 'replicas', second.port);
  return { first, second, sluice };
}

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
async function longQuery(sluice: SluiceProcess, primary: RealPostgres) {
  let outcome: 'running' | 'answered' | 'failed' = 'running';
  const untilGo = `do $$ begin
    while not exists (select from words where word = 'go') loop perform pg_sleep(0.02); end loop;
  end $$`;
  const ended = ask(sluice, 'write', untilGo).then(
    () => {
      outcome = 'answered';
    },
    () => {
      outcome = 'failed';
    },
  );
  const running = `select count(*) from pg_stat_activity
    where application_name = 'client' and state = 'active'`;
  await waitFor('the query', async () => (await primary.sql(running)).trim() === '1', {
    timeoutMs,
  });
  return { ended, outcome: () => outcome };
}

/** Its queries go on, and nobody is let in: so a server looks that is out of memory or disk. */
async function hang(sluice: SluiceProcess, { program, port }: RealPostgres): Promise<void> {
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

describe.runIf(requireTools('postgres', 'psql'))('a failover of PostgreSQL', () => {
  it('is followed when the primary dies and its replica is promoted', async () => {
    const { first, second, sluice } = await setup();
    await ask(sluice, 'write', `insert into words values ('before')`);
    const words = () => ask(sluice, 'read', 'select word from words');
    await waitFor('the copy', async () => (await words()) === 'before', { timeoutMs });
    await expect(ask(sluice, 'read', `insert into words values ('no')`)).rejects.toThrow(
      /read-only/,
    );

    first.program.kill('SIGKILL');
    await second.sql('select pg_promote()');
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

    await second.sql('select pg_promote()');
    await query.ended;
    expect(query.outcome()).toBe('failed');
    const closed = await sluice.event('connections_closed');
    const changed = sluice.log.findIndex(
      ({ event, previous }) => event === 'primary_changed' && previous !== '',
    );
    expect(sluice.log[changed]).toMatchObject({ target: `p${second.port}` });
    expect(sluice.log.indexOf(closed)).toBeGreaterThan(changed);

    // The old one comes back and still believes that it is the primary.
    first.program.kill('SIGCONT');
    await sluice.event('split_brain');
    await isPicked(sluice, 'primary', second.port);
  });
});
