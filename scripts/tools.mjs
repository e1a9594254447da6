// Tools that a test may need and a newcomer may lack: which Debian package brings each, and what
// happens without it. SLUICE_REQUIRE_TOOLS=1 (set by .ci/run) turns "skipped" into a failure.
import { existsSync, readdirSync } from 'node:fs';
import { findProgram } from './process.mjs';

/** Tool to Debian package; a tool with a path is a file, any other a program. */
const packages = {
  chromium: 'chromium',
  'clang++-14': 'clang-14',
  'clang-format-19': 'clang-format-19',
  'clang-tidy-19': 'clang-tidy-19',
  cmake: 'cmake',
  dig: 'bind9-dnsutils',
  dnsmasq: 'dnsmasq-base',
  dnsperf: 'dnsperf',
  doctest: 'doctest-dev',
  haproxy: 'haproxy',
  ip: 'iproute2',
  iperf3: 'iperf3',
  mariadb: 'mariadb-client',
  'mariadb-install-db': 'mariadb-server',
  mariadbd: 'mariadb-server',
  memcached: 'memcached',
  nc: 'netcat-openbsd',
  nft: 'nftables',
  nginx: 'nginx',
  openssl: 'openssl',
  ninja: 'ninja-build',
  postgres: 'postgresql',
  prometheus: 'prometheus',
  promtool: 'prometheus',
  psql: 'postgresql-client',
  python3: 'python3',
  'redis-benchmark': 'redis-tools',
  'redis-cli': 'redis-tools',
  'redis-server': 'redis-server',
  strace: 'strace',
  unshare: 'util-linux',
  wrk: 'wrk',
};

/** Tools that are files, not programs. @type {Record<string, string>} */
const files = {
  doctest: '/usr/include/doctest/doctest.h',
  postgres: `${postgresPrograms()}/postgres`,
};

/** Debian keeps each version's programs in a folder that is in no PATH; the newest version's. */
export function postgresPrograms() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).map(Number) : [];
  return `${root}/${Math.max(0, ...versions.filter(Number.isFinite))}/bin`;
}

/** @typedef {keyof typeof packages} Tool */

/** @param {Tool} tool */
export function hasTool(tool) {
  const file = files[tool];
  return file === undefined ? findProgram(tool) !== null : existsSync(file);
}

/**
 * Whether all of `tools` are here. If not: prints which Debian packages bring them and returns
 * false, or throws when the run must not skip anything.
 * @param {Tool[]} tools @param {string} [why] what is skipped
 */
export function requireTools(tools, why = 'tests') {
  const missing = tools.filter((tool) => !hasTool(tool));
  if (missing.length === 0) return true;
  const wanted = [...new Set(missing.map((tool) => packages[tool]))].join(' ');
  const notice =
    `${missing.join(', ')} not installed: ${why} skipped; ` + `sudo apt-get install -y ${wanted}`;
  if (process.env['SLUICE_REQUIRE_TOOLS'] === '1') {
    throw new Error(`${notice} (SLUICE_REQUIRE_TOOLS=1 forbids to skip)`);
  }
  process.stderr.write(`notice: ${notice}\n`);
  return false;
}
