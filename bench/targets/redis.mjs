// A Redis target without persistence, counted through its unix socket.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { portOf } from '../contenders/contender.mjs';
import { pathOf } from '../tools.mjs';

/** Commands that Redis has counted, out of INFO stats. @param {string} info */
export function parseCommandCount(info) {
  const count = /^total_commands_processed:(\d+)/m.exec(info)?.[1];
  if (count === undefined) throw new Error(`not INFO stats: ${info}`);
  return Number(count);
}

/** @param {import('../run.mjs').Run} run */
export async function startRedisTarget(run) {
  const folder = run.folder();
  const [host = '', port = ''] = (await run.targetListen()).split(':');
  const socket = join(folder, 'redis.sock');
  const redis = run.programs.start('target', [
    ...[pathOf('redis-server'), '--bind', host, '--port', port, '--unixsocket', socket],
    ...['--save', '', '--appendonly', 'no', '--protected-mode', 'no', '--dir', folder],
  ]);
  await redis.bound('tcp', Number(port));
  /** @param {string[]} words */
  const ask = (...words) => execFileSync(pathOf('redis-cli'), ['-s', socket, ...words]).toString();
  // What redis-benchmark asks for.
  ask('set', 'key:__rand_int__', 'xxx');
  return {
    port: portOf(`${host}:${port}`),
    commands: () => parseCommandCount(ask('info', 'stats')),
  };
}
