// Programs that rows and contenders need, and the Debian packages that bring them.
import { existsSync } from 'node:fs';
import { findProgram } from '../scripts/process.mjs';
import { hasTool } from '../scripts/tools.mjs';

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** @type {Readonly<Record<string, { debianPackage: string, present: () => boolean }>>} */
const tools = {
  haproxy: program('haproxy'),
  iperf3: program('iperf3'),
  nginx: program('nginx'),
  'nginx-stream': { debianPackage: 'libnginx-mod-stream', present: () => existsSync(streamModule) },
  pen: program('pen'),
  pgbench: {
    debianPackage: 'postgresql',
    present: () => findProgram('pgbench') !== null && hasTool('postgres'),
  },
  'redis-benchmark': program('redis-benchmark', 'redis-tools'),
  'redis-server': program('redis-server'),
  taskset: program('taskset', 'util-linux'),
  wrk: program('wrk'),
};

function program(/** @type {string} */ name, debianPackage = name) {
  return { debianPackage, present: () => findProgram(name) !== null };
}

/** Debian packages that lack for `names`. @param {readonly string[]} names @returns {string[]} */
export function missingPackages(names) {
  const missing = names.filter((name) => tools[name]?.present() !== true);
  return [...new Set(missing.map((name) => tools[name]?.debianPackage ?? name))];
}

/** The path of a program that is here. @param {string} name */
export function pathOf(name) {
  const path = findProgram(name);
  if (path === null) throw new Error(`${name} is not installed`);
  return path;
}
