// Real databases for tests: PostgreSQL and MariaDB from Debian's packages, in folders of their own.
// Neither runs as root, so that as root they run as the users that Debian has made for them.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgresPrograms } from '../../scripts/tools.mjs';
import {
  freePort,
  type RealServer,
  runProgram,
  startProgram,
  temporaryFolder,
  untilListening,
} from './real-server.js';
import { waitFor } from './wait-for.js';

const isRoot = process.getuid?.() === 0;

/** The command line that runs as `user`, in the same process: a signal must reach the program. */
function asUser(user: string, command: readonly string[]): [string, string[]] {
  const switched = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
  const [file = '', ...rest] = isRoot ? [...switched, ...command] : command;
  return [file, rest];
}

function runAs(user: string, command: readonly string[], cwd: string): void {
  const [file, args] = asUser(user, command);
  execFileSync(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function folderOf(user: string): Promise<string> {
  const folder = await temporaryFolder();
  if (isRoot) {
    const id = (flag: string) => Number(execFileSync('id', [flag, user]).toString());
    chownSync(folder, id('-u'), id('-g'));
  }
  chmodSync(folder, 0o755);
  return folder;
}

export interface RealPostgres extends RealServer {
  /** What it has complained about so far. */
  log(): string;
  /** As the superuser, over the socket in its folder. */
  sql(text: string): Promise<string>;
}

/** `hba`: who may log in over TCP, and how, as in pg_hba.conf. */
export async function startPostgres(hba: string): Promise<RealPostgres> {
  const folder = await folderOf('postgres');
  const data = join(folder, 'data');
  const bin = postgresPrograms();
  runAs('postgres', [`${bin}/initdb`, '-D', data, '-U', 'postgres', '-A', 'trust', '-N'], folder);
  writeFileSync(join(data, 'pg_hba.conf'), `local all all trust\n${hba}\n`);
  return await servePostgres(folder, data);
}

/** Another one that follows `primary`. */
export async function startPostgresReplica(primary: RealPostgres): Promise<RealPostgres> {
  const folder = await folderOf('postgres');
  const data = join(folder, 'data');
  const bin = postgresPrograms();
  const from = `host=127.0.0.1 port=${primary.port} user=postgres`;
  runAs('postgres', [`${bin}/pg_basebackup`, '-D', data, '-R', '-X', 'stream', '-d', from], folder);
  return await servePostgres(folder, data);
}

async function servePostgres(folder: string, data: string): Promise<RealPostgres> {
  const port = await freePort();
  const [file, args] = asUser('postgres', [
    ...[`${postgresPrograms()}/postgres`, '-D', data, '-k', folder, '-h', '127.0.0.1'],
    ...['-p', String(port), '-c', 'fsync=off', '-c', 'max_connections=20'],
    ...['-c', 'logging_collector=on', '-c', 'log_filename=log'],
  ]);
  const program = startProgram(file, args);
  const sql = (text: string) =>
    runProgram('psql', [
      ...['-X', '-A', '-t', '-h', folder, '-p', String(port), '-U', 'postgres', '-c', text],
      'postgres',
    ]);
  await untilListening(port, program);
  await waitFor('PostgreSQL', () => sql('select 1').catch(() => null), { timeoutMs: 15_000 });
  return { port, program, sql, log: () => readFileSync(join(data, 'log', 'log'), 'utf8') };
}

export interface RealMariadb extends RealServer {
  /** As its superuser, over the socket in its folder. */
  sql(text: string): Promise<string>;
}

/** `more`: options of mariadbd. */
export async function startMariadb(more: readonly string[] = []): Promise<RealMariadb> {
  const folder = await folderOf('mysql');
  const data = join(folder, 'data');
  const socket = join(folder, 'socket');
  const port = await freePort();
  runAs(
    'mysql',
    [
      ...['mariadb-install-db', '--no-defaults', `--datadir=${data}`, '--skip-test-db'],
      '--auth-root-authentication-method=normal',
    ],
    folder,
  );
  const [file, args] = asUser('mysql', [
    ...['mariadbd', '--no-defaults', `--datadir=${data}`, `--socket=${socket}`],
    ...['--bind-address=127.0.0.1', `--port=${port}`, '--skip-name-resolve'],
    ...['--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=8M'],
    ...more,
  ]);
  const program = startProgram(file, args);
  await untilListening(port, program);
  const sql = (text: string) =>
    runProgram('mariadb', ['--no-defaults', '-u', 'root', '-S', socket, '-N', '-e', text]);
  return { port, program, sql };
}

/** One that others can follow. */
export const startMariadbPrimary = (): Promise<RealMariadb> =>
  startMariadb(['--server-id=1', '--log-bin']);

/** Another one that follows `primary`, from its beginning, and takes no writes but its. */
export async function startMariadbReplica(primary: RealMariadb): Promise<RealMariadb> {
  const replica = await startMariadb(['--server-id=2', '--log-bin', '--read-only=1']);
  await replica.sql(`change master to master_host='127.0.0.1', master_port=${primary.port},
    master_user='root', master_use_gtid=slave_pos, master_connect_retry=1; start slave`);
  return replica;
}
