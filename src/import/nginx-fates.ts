// What becomes of nginx's directives that have no key in sluice. Those that are carried over stand
// with the code that does so.
import { type FateRow, type FixedFate, fateTable, lost, notNeeded } from './fate-table.js';

const inUnit = notNeeded('how the process runs is up to systemd (docs/getting-started.md)');
const tuning = notNeeded('tunes nginx itself');
const noTls = lost(
  'sluice does not end or begin TLS: it passes it on as it is',
  'let clients and targets speak TLS with each other',
);
const noPreread = lost(
  'sluice does not look into connections to decide',
  'give each kind of client a listener of its own',
);
const noRates = lost('sluice has no limit on bytes per second', 'limit them with tc');
const script = lost('sluice runs no foreign code', 'keep nginx for this server');
const counts = lost(
  'sluice has no limits per client',
  'max_connections of the listener, or the firewall',
);
const access = lost(
  'sluice has no access lists',
  'let the firewall (nftables) decide who may connect',
);
const realAddress = lost(
  'sluice does not read PROXY headers: they reach the targets as they are',
  'let the targets read them',
);

const mainRows: readonly FateRow[] = [
  [
    'user, pid, daemon, master_process, lock_file, working_directory, env, timer_resolution',
    inUnit,
  ],
  ['worker_rlimit_nofile, worker_rlimit_core, worker_priority, debug_points, pcre_jit', inUnit],
  [
    'worker_cpu_affinity',
    lost('workers run where the kernel puts them', 'CPUAffinity= of systemd'),
  ],
  ['error_log', notNeeded('sluice logs to standard output, or where log.output says')],
  ['load_module, thread_pool, ssl_engine, ssl_object_cache_inheritable', tuning],
  ['google_perftools_profiles, worker_aio_requests, quic_bpf, mgmt', tuning],
];

const eventRows: readonly FateRow[] = [
  [
    'worker_connections',
    notNeeded('engine.max_connections follows the limit on descriptors (LimitNOFILE=)'),
  ],
  [
    'use, multi_accept, accept_mutex, accept_mutex_delay, debug_connection, worker_aio_requests',
    tuning,
  ],
];

const streamRows: readonly FateRow[] = [
  [
    'error_log, open_log_file_cache',
    notNeeded('sluice logs to standard output, or where log.output says'),
  ],
  ['log_format', lost('an access record has fixed fields', 'docs/operations.md lists them')],
  ['preread_buffer_size, preread_timeout', notNeeded('sluice does not look into connections')],
  [
    'proxy_buffer_size, proxy_downstream_buffer, proxy_upstream_buffer',
    notNeeded('see engine.buffer'),
  ],
  ['proxy_upload_rate, proxy_download_rate', noRates],
  ['proxy_half_close', notNeeded('each direction ends by itself, as with proxy_half_close on')],
  [
    'proxy_session_drop',
    lost('connections are left alone when a target goes down', 'on_down: close'),
  ],
  [
    'proxy_next_upstream_timeout',
    lost('tries are bounded by number', 'retries, and timeouts.connect'),
  ],
  [
    'proxy_protocol',
    lost(
      'sluice sends no PROXY header, so the target sees the address of sluice',
      'switch it off on the target, or it refuses connections',
    ),
  ],
  ['proxy_protocol_timeout, set_real_ip_from', realAddress],
  ['allow, deny', access],
  ['limit_conn, limit_conn_zone, limit_conn_log_level, limit_conn_dry_run', counts],
  ['resolver, resolver_timeout', notNeeded('names are resolved by the system, again and again')],
  ['status_zone, zone_sync_server, zone_sync_buffers', notNeeded('every worker shares its counts')],
  [
    'zone_sync, zone_sync_timeout, zone_sync_interval',
    lost('instances share nothing', 'maglev picks alike'),
  ],
  ['variables_hash_bucket_size, variables_hash_max_size, map_hash_bucket_size', tuning],
  ['map_hash_max_size, server_names_hash_bucket_size, server_names_hash_max_size', tuning],
  ['server_name', lost('a listener serves every name', 'a listener of its own, on another port')],
  ['geoip_country, geoip_city, geoip_org, geoip_proxy', access],
  [
    'js_import, js_path, js_set, js_var, js_access, js_preread, js_filter, js_fetch_timeout',
    script,
  ],
  ['perl, perl_modules, otel_exporter, mqtt, mqtt_preread, mqtt_set_connect, rdp_preread', script],
  ['return', lost('sluice answers nothing by itself', 'run a small server and name it as target')],
  ['pass', lost('sluice has no sockets inside itself', 'name the address of the other server')],
  ['set', lost('sluice has no variables', 'write what is meant')],
  ['health_check_timeout', notNeeded('there is no health_check')],
];

/** Inside `upstream`. */
const poolRows: readonly FateRow[] = [
  ['zone', notNeeded('workers share the state of targets')],
  [
    'keepalive, ntlm, keepalive_requests, keepalive_timeout, keepalive_time',
    notNeeded('is for HTTP only'),
  ],
  ['resolver, resolver_timeout', notNeeded('names are resolved by the system, again and again')],
  ['state', lost('sluice keeps states in a file of its own', 'state: { file: ... }')],
  [
    'sticky, sticky_cookie_insert',
    lost('clients are known by their address only', 'sticky: source'),
  ],
];

const tables = {
  main: fateTable(mainRows),
  events: fateTable(eventRows),
  stream: fateTable(streamRows),
  upstream: fateTable(poolRows),
} as const;

export type NginxContext = keyof typeof tables;

export function nginxFate(context: NginxContext, name: string): FixedFate | undefined {
  if (name === 'include') {
    return lost('other files are not read', 'put their text here, and import again');
  }
  const known = tables[context].get(name);
  if (known !== undefined || context !== 'stream') return known;
  if (name === 'ssl_preread') return noPreread;
  if (/^(proxy_)?ssl_/.test(name) || name === 'proxy_ssl') return noTls;
  return /^js_/.test(name) ? script : undefined;
}
