// What becomes of HAProxy's keywords that have no key in sluice: why each is not needed, or lost,
// and what to do instead. Those that are carried over stand with the code that does so.
import { type FateRow, type FixedFate, fateTable, lost, notNeeded } from './fate-table.js';

const httpOnly = notNeeded('works on HTTP only, and has no effect in mode tcp');
const inUnit = notNeeded('how the process runs is up to systemd (docs/getting-started.md)');
const logs = notNeeded('sluice logs to standard output, or where log.output says');
const tuning = notNeeded('tunes HAProxy itself');
const content = lost(
  'sluice does not look into connections to decide',
  'give each kind of client a listener of its own',
);
const accessList = lost(
  'sluice has no access lists and no rules per connection',
  'let the firewall (nftables) decide who may connect',
);
const extension = lost('sluice runs no foreign code', 'keep HAProxy for this section');

const proxyRows: readonly FateRow[] = [
  ['acl, use-server, filter, declare capture', content],
  ['tcp-request, tcp-response', accessList],
  [
    'rate-limit',
    lost(
      'sluice has no limit on new connections per second',
      'use the firewall, or max_connections',
    ),
  ],
  ['log, log-tag', logs],
  [
    'log-format, log-format-sd, error-log-format, log-steps',
    lost('an access record has fixed fields', 'access_log: true; docs/operations.md lists them'),
  ],
  ['unique-id-format, unique-id-header', lost('connections have no names', 'use access_log')],
  [
    'description, id, guid, option contstats, option socket-stats',
    notNeeded('says nothing to sluice'),
  ],
  ['option dontlognull, option log-separate-errors', notNeeded('access records name the reason')],
  [
    'option dontlog-normal, option logasap',
    lost('a record is written for every connection, at its end', 'select by `reason` in the log'),
  ],
  ['option log-health-checks', notNeeded('every change of health is logged')],
  [
    'option splice-auto, option splice-request, option splice-response',
    notNeeded('engine.splice: auto does this where it is faster'),
  ],
  [
    'option tcp-smart-accept, option tcp-smart-connect',
    notNeeded('sluice settles delayed acknowledgements by itself'),
  ],
  ['option redispatch', notNeeded('each retry goes to a target that was not tried yet')],
  ['option abortonclose', notNeeded('a waiting client that goes away gives up its place')],
  ['option prefer-last-server, option tcpka-bogus', notNeeded('has no effect in mode tcp')],
  ['option persist, persist, force-persist, ignore-persist', content],
  [
    'option nolinger',
    lost(
      'connections end in good order, so their ports stay in TIME_WAIT',
      'nothing: it is harmless',
    ),
  ],
  [
    'option independent-streams',
    lost('idle counts both directions together', 'set timeouts.idle of the listener'),
  ],
  [
    'option transparent, option originalto',
    lost('sluice does not connect under foreign addresses', 'name the targets'),
  ],
  ['option srvtcpka-intvl, option idle-close-on-response, option disable-h2-upgrade', httpOnly],
  [
    'option external-check, external-check',
    lost('an external check is called with other arguments', 'health: { type: exec, ... }'),
  ],
  ['option spop-check', lost('sluice has no check of SPOE agents', 'health: tcp is used')],
  ['option httpclose, option forceclose, option http-server-close', httpOnly],
  ['option http-keep-alive, option http-tunnel, option http-pretend-keepalive', httpOnly],
  [
    'option forwardfor, option httplog, option http-ignore-probes, option http-use-proxy-header',
    httpOnly,
  ],
  [
    'option http-use-htx, option http-no-delay, option http-buffer-request, option checkcache',
    httpOnly,
  ],
  ['option accept-invalid-http-request, option accept-invalid-http-response', httpOnly],
  ['option h1-case-adjust-bogus-client, option h1-case-adjust-bogus-server', httpOnly],
  ['option accept-unsafe-violations-in-http-request', httpOnly],
  ['option accept-unsafe-violations-in-http-response', httpOnly],
  ['option http-restrict-req-hdr-names, option httpslog, option forwarded', httpOnly],
  ['http-request, http-response, http-after-response, http-reuse, http-send-name-header', httpOnly],
  ['cookie, appsession, capture, redirect, block, compression, errorfile, errorfiles', httpOnly],
  ['errorloc, errorloc302, errorloc303, http-error, monitor-uri, monitor, monitor-net', httpOnly],
  [
    'reqadd, reqrep, reqdel, reqdeny, rspadd, rspdel, rsprep, rspdeny, http-check connect',
    httpOnly,
  ],
  ['timeout http-request, timeout http-keep-alive, timeout tarpit, max-keep-alive-queue', httpOnly],
  ['fullconn', lost('limits do not follow the load', 'max_connections of the targets')],
  ['max-session-srv-conns', httpOnly],
  ['hash-preserve-affinity', lost('full targets are passed over', 'policy: bounded_load')],
  ['timeout client-hs', notNeeded('sluice does no handshakes')],
  ['email-alert', lost('sluice sends no mail', 'alert on the metrics (docs/operations.md)')],
  [
    'load-server-state-from-file, server-state-file-name',
    lost(
      'state is kept by sluice in a file of its own',
      'state: { file: /var/lib/sluice/state.json }',
    ),
  ],
  ['bind-process, process', notNeeded('every worker serves every listener')],
  ['grace', lost('listeners close at once when a stop begins', 'stop sending clients before it')],
  ['stats', lost('sluice has no page of statistics in a section', 'sluice status, or /metrics')],
  [
    'http-check disable-on-404, http-check send-state',
    lost('an answer is good or bad', 'use agent'),
  ],
  ['http-check comment, tcp-check comment', notNeeded('a comment')],
  ['http-check set-var, http-check unset-var, tcp-check set-var, tcp-check unset-var', content],
  ['fcgi-app, use-fcgi-app, dynamic-cookie-key', httpOnly],
  ['server-template', lost('a name is resolved to one target', 'list the targets one by one')],
  ['stick store-response', lost('clients are known by their address only', 'sticky: source')],
];

const globalRows: readonly FateRow[] = [
  ['daemon, pidfile, master-worker, mworker-max-reloads, chroot, user, group, uid, gid', inUnit],
  ['ulimit-n, fd-hard-limit, set-dumpable, unix-bind, nbproc, insecure-fork-wanted', inUnit],
  ['external-check, insecure-setuid-wanted', inUnit],
  ['default-path, prealloc-fd, strict-limits, setcap, anonkey', inUnit],
  [
    'log, log-send-hostname, log-tag, quiet, debug, zero-warning, node, description, hostname',
    logs,
  ],
  ['stats', notNeeded('the admin API of sluice takes its place (admin.listen)')],
  ['localpeer, grace, busy-polling, cluster-secret, harden.reject-privileged-ports.tcp', tuning],
  ['noepoll, nokqueue, nopoll, nogetaddrinfo, noevports, noreuseport, max-spread-checks', tuning],
  ['maxpipes, maxsslconn, maxsslrate, maxzlibmem, maxcompcpuusage, thread-groups', tuning],
  [
    'thread-group, presetenv, setenv, resetenv, unsetenv, profiling.tasks, numa-cpu-mapping',
    tuning,
  ],
  ['ca-base, crt-base, key-base, crt-list, ssl-default-bind-ciphers, ssl-mode-async', tuning],
  ['ssl-default-bind-ciphersuites, ssl-default-bind-options, ssl-default-server-ciphers', tuning],
  ['ssl-default-server-ciphersuites, ssl-default-server-options, ssl-dh-param-file', tuning],
  ['ssl-server-verify, ssl-load-extra-files, ssl-engine, ssl-skip-self-issued-ca', tuning],
  ['ssl-default-bind-curves, ssl-default-bind-sigalgs, ssl-provider, issuers-chain-path', tuning],
  [
    'maxconnrate, maxsessrate',
    lost('sluice has no limit on new connections per second', 'use the firewall'),
  ],
  [
    'cpu-map, numa-cpu-mapping',
    lost('workers run where the kernel puts them', 'use CPUAffinity= of systemd'),
  ],
  [
    'server-state-base, server-state-file',
    lost(
      'state is kept by sluice in a file of its own',
      'state: { file: /var/lib/sluice/state.json }',
    ),
  ],
  ['lua-load, lua-load-per-thread, lua-prepend-path, module-load', extension],
  ['presetenv', notNeeded('used for the variables of this file')],
  ['setenv', notNeeded('used for the variables of this file')],
];

/** Whole sections that are not proxies. */
const sectionRows: readonly FateRow[] = [
  [
    'peers',
    lost(
      'sluice does not share sticky entries with others',
      'policy: maglev picks alike everywhere',
    ),
  ],
  ['resolvers', notNeeded('names are resolved again and again, by the resolver of the system')],
  ['mailers', lost('sluice sends no mail', 'alert on the metrics (docs/operations.md)')],
  ['userlist, cache, http-errors, fcgi-app', notNeeded('is for HTTP only')],
  ['program', lost('sluice starts no other programs', 'write a unit of systemd for it')],
  ['ring', notNeeded('sluice logs to standard output, or where log.output says')],
  ['log-profile, traces', notNeeded('sluice logs to standard output, or where log.output says')],
  [
    'log-forward',
    lost('sluice does not read the messages that it forwards', 'a udp listener balances syslog'),
  ],
  ['crt-store, acme', lost('sluice does not end TLS', 'keep the certificates on the targets')],
];

const ofProxies = fateTable(proxyRows);
const ofGlobal = fateTable(globalRows);
const ofSections = fateTable(sectionRows);

export function proxyFate(key: string): FixedFate | undefined {
  return ofProxies.get(key) ?? ofProxies.get(key.split(' ')[0] ?? '');
}

export function globalFate(key: string): FixedFate | undefined {
  const known = ofGlobal.get(key) ?? ofGlobal.get(key.split(' ')[0] ?? '');
  return known ?? (/^(tune|51degrees|deviceatlas|wurfl)[.-]/.test(key) ? tuning : undefined);
}

export function sectionFate(kind: string): FixedFate | undefined {
  return ofSections.get(kind);
}
