// What a configuration needs from this machine, tried for real without starting anything: free
// addresses, names that resolve, ICMP, descriptors. `sluice check` prints what comes of it.
import type { Clock, Timer } from '../clock.js';
import type { ErrorCode } from '../errors.js';
import type { Endpoint, IpEndpoint } from '../model/address.js';
import type { Config } from '../model/config.js';
import type { Protocol } from '../model/listener.js';
import { covers } from './bind-rules.js';
import { type BindTrial, tryBind } from './bind-trial.js';
import { addressKey } from './facts.js';
import { type HostSystem, hostSystem, type Permissions } from './host-system.js';
import { formatIp, isLoopback, isWildcard, parseIp } from './ip.js';
import type { Origin } from './load.js';
import type { ConfigProblem } from './problem.js';

export interface ProbeOptions {
  readonly clock: Clock;
  /** LoadedConfig.originOf, so that findings have lines. */
  readonly originOf?: (part: object) => Origin | null;
  readonly system?: HostSystem;
  /** Names that have not been answered by then count as unanswered. */
  readonly resolveTimeoutMs?: number;
}

interface Probe {
  readonly config: Config;
  readonly options: ProbeOptions;
  readonly system: HostSystem;
  readonly findings: ConfigProblem[];
}

/** Nothing found: an empty list. Findings are in the order of the file. */
export async function probeEnvironment(
  config: Config,
  options: ProbeOptions,
): Promise<readonly ConfigProblem[]> {
  const probe: Probe = { config, options, system: options.system ?? hostSystem(), findings: [] };
  await probeBinds(probe);
  await probeNames(probe);
  probeOwnAddresses(probe);
  await probePing(probe);
  await probeFiles(probe);
  await probeLogins(probe);
  await probeDescriptors(probe);
  probeWorkers(probe);
  return probe.findings.sort((a, b) => a.line - b.line || a.column - b.column);
}

/**
 * The rights and files without which a configuration cannot do what it says, and which nobody would
 * notice while running: a ping that may not be sent looks like a target that is down. A start and
 * every reload ask this; the rest of probeEnvironment they find out by doing.
 */
export async function probePermissions(
  config: Config,
  options: ProbeOptions,
): Promise<readonly ConfigProblem[]> {
  const probe: Probe = { config, options, system: options.system ?? hostSystem(), findings: [] };
  await probePing(probe);
  await probeFiles(probe);
  return probe.findings;
}

function report(
  probe: Probe,
  part: object,
  severity: ConfigProblem['severity'],
  code: ErrorCode,
  message: string,
): void {
  const origin = probe.options.originOf?.(part) ?? {
    file: '',
    line: 0,
    column: 0,
    path: '',
    sourceLine: '',
  };
  probe.findings.push({ severity, code, message, ...origin });
}

async function probeBinds(probe: Probe): Promise<void> {
  for (const listener of probe.config.listeners) {
    for (const bind of listener.binds) {
      const trial = await tryBind(bind, listener.protocol, listener.ipv6Only);
      reportTrial(probe, bind, addressKey(bind), listener.protocol, trial);
    }
  }
  const listen = probe.config.admin.listen;
  if (listen === null) return;
  const endpoint = adminEndpoint(listen);
  if (endpoint === null) return;
  const trial = await tryBind(endpoint, 'tcp', false);
  reportTrial(probe, probe.config.admin, addressKey(endpoint), 'tcp', trial);
}

function adminEndpoint(listen: NonNullable<Config['admin']['listen']>): Endpoint | null {
  if ('path' in listen) return { kind: 'unix', path: listen.path };
  const ip = parseIp(listen.host, () => null);
  return ip === null ? null : { kind: 'ip', ip, port: listen.port };
}

function reportTrial(
  probe: Probe,
  part: object,
  address: string,
  protocol: Protocol,
  trial: BindTrial,
): void {
  const what = address.startsWith('unix:') ? address : `${protocol} ${address}`;
  if (trial.outcome === 'free') return;
  const { code, message } = explainTrial(what, trial);
  report(probe, part, 'error', code, message);
}

function explainTrial(
  what: string,
  trial: BindTrial,
): { readonly code: ErrorCode; readonly message: string } {
  if (trial.outcome === 'in_use') {
    const message = `${what} is taken by another program, or by a sluice that runs already`;
    return { code: 'SLUICE_CHECK_ADDRESS_IN_USE', message };
  }
  if (trial.outcome === 'denied') {
    const message = `this user may not bind ${what} (${trial.detail})`;
    return { code: 'SLUICE_CHECK_BIND_DENIED', message };
  }
  const message = `${what} cannot be bound: ${trial.detail}`;
  return { code: 'SLUICE_CHECK_BIND_FAILED', message };
}

/** As many at once as libuv has threads for getaddrinfo, with its default of 4. */
const lookupsAtOnce = 4;

async function probeNames(probe: Probe): Promise<void> {
  const byHost = new Map<string, object[]>();
  for (const pool of probe.config.pools) {
    for (const target of pool.targets) {
      if (target.address.kind !== 'name') continue;
      const parts = byHost.get(target.address.host) ?? [];
      byHost.set(target.address.host, [...parts, target]);
    }
  }
  let late = false;
  const timeoutMs = probe.options.resolveTimeoutMs ?? 10_000;
  let timer: Timer | undefined;
  const deadline = new Promise<'late'>((resolve) => {
    timer = probe.options.clock.after(timeoutMs, () => resolve('late'));
  });
  const hosts = [...byHost];
  const work = async () => {
    for (let next = hosts.shift(); next !== undefined; next = hosts.shift()) {
      const [host, parts] = next;
      const answer = late ? 'late' : await Promise.race([probe.system.lookup(host), deadline]);
      if (answer === 'late') late = true;
      if (answer === null) continue;
      const severity = answer === 'late' ? 'warning' : 'error';
      const message =
        answer === 'late'
          ? `no answer about ${host} within ${timeoutMs} ms`
          : `${host} does not resolve: ${answer}`;
      for (const part of parts) {
        report(probe, part, severity, 'SLUICE_CHECK_NAME_UNRESOLVED', message);
      }
    }
  };
  await Promise.all(Array.from({ length: lookupsAtOnce }, work));
  timer?.cancel();
}

/** A bind to every address also takes what is sent to each of ours: a loop that only shows here. */
function probeOwnAddresses(probe: Probe): void {
  const own = new Set(probe.system.ownAddresses());
  for (const listener of probe.config.listeners) {
    const wildcards = listener.binds.filter(
      (bind): bind is IpEndpoint => bind.kind === 'ip' && isWildcard(bind.ip),
    );
    const pool = probe.config.pools.find(({ name }) => name === listener.pool);
    for (const target of wildcards.length === 0 ? [] : (pool?.targets ?? [])) {
      const address = target.address;
      if (address.kind !== 'ip' || isLoopback(address.ip)) continue;
      if (!own.has(formatIp({ ...address.ip, scopeId: 0 }))) continue;
      const loops = wildcards.some(
        ({ ip, port }) => port === address.port && covers(ip, address.ip, listener.ipv6Only),
      );
      if (!loops) continue;
      const where = `listeners.${listener.name}`;
      const message = `${addressKey(address)} is this machine, and ${where} has that port: a loop`;
      report(probe, target, 'error', 'SLUICE_CHECK_OWN_ADDRESS', message);
    }
  }
}

async function probePing(probe: Probe): Promise<void> {
  const pools = probe.config.pools.filter(({ health }) => health.kind === 'ping');
  if (pools.length === 0) return;
  const permissions = await probe.system.permissions();
  if (pingAllowed(permissions)) return;
  const { low, high } = permissions.pingGroups ?? { low: 1, high: 0 };
  const groups = `group ${permissions.groups.join(', ')}`;
  const message =
    `ICMP is not allowed: the sysctl net.ipv4.ping_group_range is "${low} ${high}" ` +
    `without ${groups}, and CAP_NET_RAW is missing`;
  for (const pool of pools) report(probe, pool, 'error', 'SLUICE_CHECK_ICMP_DENIED', message);
}

/** What a probe needs of the disk: without it every target would look as if nobody had asked. */
async function probeFiles(probe: Probe): Promise<void> {
  for (const pool of probe.config.pools) {
    const { health } = pool;
    const ca = 'tls' in health ? health.tls?.ca : null;
    const program = health.kind === 'exec' ? health.exec.command[0] : null;
    for (const [path, use] of [[ca, 'read'] as const, [program, 'execute'] as const]) {
      const why = path ? await probe.system.fileUsable(path, use) : null;
      if (why === null) continue;
      const message = `the health check cannot ${use} ${path}: ${why}`;
      report(probe, pool, 'error', 'SLUICE_CHECK_HEALTH_FILE', message);
    }
  }
}

/**
 * Warnings, and no concern of a start: a password is read for every probe, so that its file may
 * come later; while it is missing the running process says so (password_file_unreadable).
 */
async function probeLogins(probe: Probe): Promise<void> {
  for (const pool of probe.config.pools) {
    const path = 'login' in pool.health ? pool.health.login?.passwordFile : undefined;
    const why = path ? await probe.system.fileUsable(path, 'read') : null;
    if (why === null) continue;
    const message = `the health check cannot read ${path} (login.password_file): ${why}`;
    report(probe, pool, 'warning', 'SLUICE_CHECK_HEALTH_FILE', message);
  }
}

export function pingAllowed(permissions: Permissions): boolean {
  if (permissions.rawSockets) return true;
  const range = permissions.pingGroups;
  return range !== null && permissions.groups.some((id) => id >= range.low && id <= range.high);
}

/** Sockets of Node, logs, epoll, timers, pipes for splice: measured below 200 with 2 workers. */
const descriptorsOfOurOwn = 256;
/** EngineOptions.pipes_max: each pipe of a worker is two descriptors. */
const pipeDescriptorsPerWorker = 64;

/** undefined: the file sets no number, and sluice takes what there is. */
export function descriptorsNeeded(config: Config): number | undefined {
  const { workers, maxConnections } = config.engine;
  const tcp = config.listeners.filter(({ protocol }) => protocol === 'tcp');
  const limits = tcp.map((listener) => listener.maxConnections);
  const bounded = limits.length > 0 && limits.every((limit) => limit > 0);
  const byListeners = bounded ? limits.reduce((sum, limit) => sum + limit, 0) : undefined;
  const byEngine = maxConnections > 0 ? maxConnections * workers : undefined;
  if (byListeners === undefined && byEngine === undefined) return undefined;
  const connections = Math.min(byListeners ?? Infinity, byEngine ?? Infinity);
  const binds = config.listeners.reduce((sum, listener) => sum + listener.binds.length, 0);
  const fixed = descriptorsOfOurOwn + workers * (pipeDescriptorsPerWorker + binds);
  return connections * 2 + fixed;
}

async function probeDescriptors(probe: Probe): Promise<void> {
  const needed = descriptorsNeeded(probe.config);
  const limit = await probe.system.descriptorLimit();
  if (needed === undefined || limit === null || needed <= limit) return;
  const message = `the configured connections need ${needed} descriptors, ${limit} are allowed`;
  report(probe, probe.config.engine, 'error', 'SLUICE_CHECK_DESCRIPTORS', message);
}

function probeWorkers(probe: Probe): void {
  const { workers } = probe.config.engine;
  const cpus = probe.system.cpus();
  if (workers <= cpus) return;
  const message = `${workers} workers share ${cpus} CPU${cpus === 1 ? '' : 's'}`;
  report(probe, probe.config.engine, 'warning', 'SLUICE_CHECK_WORKERS', message);
}
