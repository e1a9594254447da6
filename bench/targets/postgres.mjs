// A PostgreSQL target with a small pgbench database. PostgreSQL refuses to run as root, so it runs
// as Debian's user postgres when we are root.
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { postgresPrograms } from '../../scripts/tools.mjs';
import { pause } from '../programs.mjs';
import { pathOf } from '../tools.mjs';

const isRoot = process.getuid?.() === 0;
const asPostgres = isRoot ? ['runuser', '-u', 'postgres', '--'] : [];

/** @param {string[]} command @param {string} folder */
function runAs(command, folder) {
  const [file = '', ...args] = [...asPostgres, ...command];
  return execFileSync(file, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}

/** It listens before it accepts questions. @param {() => void} ask */
async function answers(ask) {
  const deadline = performance.now() + 20_000;
  while (true) {
    try {
      return ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(50);
    }
  }
}

/** @param {import('../run.mjs').Run} run */
export async function startPostgresTarget(run) {
  const programs = postgresPrograms();
  const folder = run.folder();
  if (isRoot) {
    const id = (/** @type {string} */ flag) =>
      Number(execFileSync('id', [flag, 'postgres']).toString());
    chownSync(folder, id('-u'), id('-g'));
  }
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const [host = '', port = ''] = (await run.targetListen()).split(':');
  runAs([`${programs}/initdb`, '-D', data, '-U', 'postgres', '-A', 'trust', '-N'], folder);
  appendFileSync(join(data, 'pg_hba.conf'), 'host all all 0.0.0.0/0 trust\n');
  const server = run.programs.start(
    'target',
    [
      ...[...asPostgres, `${programs}/postgres`, '-D', data, '-k', folder, '-h', host, '-p', port],
      ...['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'autovacuum=off'],
    ],
    { stopSignal: 'SIGINT' }, // its "fast" end: without waiting for clients
  );
  await server.bound('tcp', Number(port));
  const local = ['-h', folder, '-p', port, '-U', 'postgres'];
  await answers(() => runAs([`${programs}/pg_isready`, '-q', ...local], folder));
  runAs([pathOf('pgbench'), '-i', '-q', '-s', '2', ...local, 'postgres'], folder);
  const question =
    "select coalesce(sum(xact_commit), 0) from pg_stat_database where datname = 'postgres'";
  return {
    port: Number(port),
    transactions: () =>
      Number(
        runAs([pathOf('psql'), '-X', '-A', '-t', '-c', question, ...local, 'postgres'], folder),
      ),
  };
}
