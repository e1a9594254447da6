// A file of the right shape to the frozen model: texts read, defaults filled in. Nothing here can
// fail; load.ts calls it only when schema and rules have found no error.
import type { Endpoint, IpAddress } from '../model/address.js';
import type { AdminConfig, Config, EngineConfig, LogConfig, StateConfig } from '../model/config.js';
import type { DrainRules } from '../model/drain.js';
import type { Listener, Protocol, TcpOptions, Timeouts, UdpOptions } from '../model/listener.js';
import type { Policy } from '../model/policy.js';
import {
  noWaiting,
  type OutlierRules,
  type PassiveRules,
  type Pool,
  type Waiting,
} from '../model/pool.js';
import type { RetryRules } from '../model/retry.js';
import type { Sticky } from '../model/sticky.js';
import type { Target } from '../model/target.js';
import { endpointsOf, parseBind } from './bind-address.js';
import { buildAgent, buildHealth } from './build-health.js';
import { defaults } from './defaults.js';
import { formatIp } from './ip.js';
import type { Machine } from './machine.js';
import { acceptedValue } from './parsed.js';
import type { Path } from './problem.js';
import { parseDurationBy } from './scalars.js';
import type { FileConfig } from './schema.js';
import { parseSource, parseTargetAddress } from './target-address.js';
import { parseAdminListen, parseUnixMode } from './text-leaves.js';
import { parseSize } from './units.js';

type FileListener = FileConfig['listeners'][string];
type FilePool = FileConfig['pools'][string];
type FileTarget = FilePool['targets'][number];
type FilePolicy = Exclude<FilePool['policy'], string | undefined>;
type FileTcp = FileListener['tcp'];

/** Remembers where each part of the model stands in the file. */
export type Remember = (part: object, path: Path) => void;

function ms(text: string): number {
  return acceptedValue(parseDurationBy(text, { minMs: 0, off: true }));
}

/** In the model 0 stands for "no limit". */
function limit(value: number | 'off' | 'auto'): number {
  return typeof value === 'number' ? value : 0;
}

function tcpOptions(tcp: FileTcp): TcpOptions {
  const keepalive = tcp?.keepalive;
  const common = {
    nodelay: tcp?.nodelay ?? defaults.tcp.nodelay,
    userTimeoutMs: ms(tcp?.user_timeout ?? defaults.tcp.userTimeout),
  };
  if (keepalive === 'off') {
    return { ...common, keepaliveIdleS: 0, keepaliveIntervalS: 0, keepaliveCount: 0 };
  }
  return {
    ...common,
    keepaliveIdleS: ms(keepalive?.idle ?? defaults.keepalive.idle) / 1000,
    keepaliveIntervalS: ms(keepalive?.interval ?? defaults.keepalive.interval) / 1000,
    keepaliveCount: keepalive?.count ?? defaults.keepalive.count,
  };
}

function timeouts(file: FileListener['timeouts'], protocol: Protocol): Timeouts {
  const idle = protocol === 'udp' ? defaults.timeouts.idleUdp : defaults.timeouts.idleTcp;
  return {
    connectMs: ms(file?.connect ?? defaults.timeouts.connect),
    idleMs: ms(file?.idle ?? idle),
    halfCloseMs: ms(file?.half_close ?? defaults.timeouts.halfClose),
    lifetimeMs: ms(file?.lifetime ?? defaults.timeouts.lifetime),
  };
}

function udpOptions(file: FileListener): UdpOptions {
  return {
    requests: limit(file.udp?.requests ?? defaults.udp.requests),
    responses: limit(file.udp?.responses ?? defaults.udp.responses),
    sessionsMax: file.udp?.max_sessions ?? defaults.udp.maxSessions,
    bulk: file.bulk ?? defaults.listener.bulk,
  };
}

function replayBytes(file: FileListener): number {
  if (!(file.replay_safe ?? defaults.listener.replaySafe)) return 0;
  return acceptedValue(parseSize(file.replay_buffer ?? defaults.listener.replayBuffer));
}

function listener(
  name: string,
  file: FileListener,
  machine: Machine,
  remember: Remember,
): Listener {
  const path = ['listeners', name, 'bind'];
  const texts = typeof file.bind === 'string' ? [file.bind] : file.bind;
  const binds = texts.flatMap((text, index): readonly Endpoint[] => {
    const endpoints = endpointsOf(acceptedValue(parseBind(text, machine.interfaceIndex)));
    for (const endpoint of endpoints) {
      remember(endpoint, typeof file.bind === 'string' ? path : [...path, index]);
    }
    return endpoints;
  });
  const protocol = file.protocol ?? defaults.listener.protocol;
  return {
    name,
    protocol,
    binds,
    ipv6Only: file.ipv6_only ?? defaults.listener.ipv6Only,
    pool: file.pool,
    timeouts: timeouts(file.timeouts, protocol),
    backlog: file.backlog ?? defaults.listener.backlog,
    maxConnections: limit(file.max_connections ?? defaults.listener.maxConnections),
    tcp: tcpOptions(file.tcp),
    udp: udpOptions(file),
    unixMode: acceptedValue(parseUnixMode(file.unix_mode ?? defaults.listener.unixMode)),
    accessLog: file.access_log ?? defaults.listener.accessLog,
    replayBytes: replayBytes(file),
  };
}

function target(file: FileTarget, machine: Machine): Target {
  const full = typeof file === 'string' ? { address: file } : file;
  return {
    name: full.name ?? full.address,
    address: acceptedValue(parseTargetAddress(full.address, machine.interfaceIndex)),
    weight: full.weight ?? defaults.target.weight,
    priority: full.priority ?? defaults.target.priority,
    backup: full.backup ?? defaults.target.backup,
    maxConnections: limit(full.max_connections ?? defaults.target.maxConnections),
  };
}

function policy(file: FilePool['policy']): Policy {
  const full: FilePolicy = typeof file === 'object' ? file : { name: file ?? defaults.pool.policy };
  return {
    name: full.name,
    key: full.key ?? defaults.policy.key,
    prefixV4: full.prefix_v4 ?? defaults.policy.prefixV4,
    prefixV6: full.prefix_v6 ?? defaults.policy.prefixV6,
    load: full.load ?? defaults.policy.load,
    boundedLoad: limit(full.bounded_load ?? defaults.policy.boundedLoad),
  };
}

function passive(file: FilePool['passive']): PassiveRules | null {
  if (file === undefined) return null;
  return {
    maxFails: file.max_fails ?? defaults.passive.maxFails,
    failTimeoutMs: ms(file.fail_timeout ?? defaults.passive.failTimeout),
    endOnProbe: file.end_on_probe ?? defaults.passive.endOnProbe,
  };
}

function outlier(file: FilePool['outlier']): OutlierRules | null {
  if (file === undefined) return null;
  const { outlier: otherwise } = defaults;
  return {
    consecutiveFailures: limit(file.consecutive_failures ?? otherwise.consecutiveFailures),
    failureRateDeviations: limit(file.failure_rate_deviations ?? otherwise.failureRateDeviations),
    latencyDeviations: limit(file.latency_deviations ?? otherwise.latencyDeviations),
    intervalMs: ms(file.interval ?? otherwise.interval),
    minTargets: file.min_targets ?? otherwise.minTargets,
    minConnections: file.min_connections ?? otherwise.minConnections,
    baseEjectionMs: ms(file.base_ejection_time ?? otherwise.baseEjectionTime),
    maxEjectionMs: ms(file.max_ejection_time ?? otherwise.maxEjectionTime),
    maxEjectionPercent: file.max_ejection_percent ?? otherwise.maxEjectionPercent,
    endOnProbe: file.end_on_probe ?? otherwise.endOnProbe,
  };
}

function sticky(file: FilePool['sticky']): Sticky | null {
  const given = file ?? defaults.sticky.sticky;
  if (given === 'off') return null;
  const full = typeof given === 'object' ? given : { by: given };
  return {
    by: full.by,
    prefixV4: full.prefix_v4 ?? defaults.sticky.prefixV4,
    prefixV6: full.prefix_v6 ?? defaults.sticky.prefixV6,
    expireMs: ms(full.expire ?? defaults.sticky.expire),
    capacity: full.capacity ?? defaults.sticky.capacity,
    whenDown: full.when_down ?? defaults.sticky.whenDown,
    whenDraining: full.when_draining ?? defaults.sticky.whenDraining,
  };
}

function retry(file: FilePool['retry']): RetryRules {
  const sameFirst = (file?.to ?? defaults.retry.to) === 'same_first';
  // A target that has just failed is given a moment; another one needs none.
  const backoff = file?.backoff ?? (sameFirst ? {} : 'off');
  const budget = file?.budget ?? defaults.retry.budget;
  const { backoff: pause, retryBudget: share } = defaults;
  return {
    sameFirst,
    backoffBaseMs: backoff === 'off' ? 0 : ms(backoff.base ?? pause.base),
    backoffMaxMs: backoff === 'off' ? 0 : ms(backoff.max ?? pause.max),
    budgetPercent: budget === 'off' ? 0 : (budget.percent ?? share.percent),
    budgetMinPerSecond: budget === 'off' ? 0 : (budget.min_per_second ?? share.minPerSecond),
  };
}

function waiting(
  file: 'off' | { readonly max?: number | undefined; readonly timeout?: string | undefined },
  unset: { readonly max: number; readonly timeout: string },
): Waiting {
  if (file === 'off') return noWaiting;
  return { max: file.max ?? unset.max, timeoutMs: ms(file.timeout ?? unset.timeout) };
}

function drain(file: FilePool['drain']): DrainRules {
  const deadline = file?.deadline ?? defaults.drain.deadline;
  return {
    deadlineMs: deadline === 'off' ? null : ms(deadline),
    closeOverMs: ms(file?.close_over ?? defaults.drain.closeOver),
  };
}

function pool(
  name: string,
  file: FilePool,
  protocols: ReadonlySet<Protocol>,
  machine: Machine,
  remember: Remember,
): Pool {
  const sources = file.source === undefined ? [] : [file.source].flat();
  return {
    name,
    policy: policy(file.policy),
    sticky: sticky(file.sticky),
    targets: file.targets.map((entry, index) => {
      const made = target(entry, machine);
      remember(made, ['pools', name, 'targets', index]);
      return made;
    }),
    health: buildHealth(file.health, protocols),
    agent: buildAgent(file.agent),
    role: file.role ?? defaults.pool.role,
    roleConfirm: file.role_confirm ?? defaults.pool.roleConfirm,
    retries: file.retries ?? defaults.pool.retries,
    retry: retry(file.retry),
    whenNoneHealthy: file.when_none_healthy ?? defaults.pool.whenNoneHealthy,
    tiers: {
      overprovisioning: file.tiers?.overprovisioning ?? defaults.tiers.overprovisioning,
      panicThreshold: file.tiers?.panic_threshold ?? defaults.tiers.panicThreshold,
    },
    onDown: file.on_down ?? defaults.pool.onDown,
    drain: drain(file.drain),
    backups: file.backups ?? defaults.pool.backups,
    passive: passive(file.passive),
    outlier: outlier(file.outlier),
    queue: waiting(file.queue ?? defaults.pool.queue, defaults.queue),
    park: file.when_none_healthy === 'park' ? waiting(file.park ?? {}, defaults.park) : noWaiting,
    sources: sources.map(
      (text): IpAddress => acceptedValue(parseSource(text, machine.interfaceIndex)),
    ),
    tcp: tcpOptions(file.tcp),
  };
}

function engine(file: FileConfig['engine'], machine: Machine): EngineConfig {
  const workers = file?.workers ?? defaults.engine.workers;
  return {
    workers: workers === 'auto' ? Math.min(Math.max(machine.cpus, 1), workersMax) : workers,
    maxConnections: limit(file?.max_connections ?? defaults.engine.maxConnections),
    splice: (file?.splice ?? defaults.engine.splice) === 'auto',
    bufferBytes: acceptedValue(parseSize(file?.buffer ?? defaults.engine.buffer)),
  };
}

/** kWorkersMax in native/shared/layout.h. */
const workersMax = 64;

function admin(file: FileConfig['admin'], machine: Machine): AdminConfig {
  const text = file?.listen ?? defaults.admin.listen;
  const bind = acceptedValue(parseAdminListen(text, machine.interfaceIndex));
  const rest = { hosts: file?.hosts ?? [], tokens: file?.tokens ?? [] };
  if (bind === null) return { listen: null, ...rest };
  if (bind.kind === 'unix') return { listen: { path: bind.path }, ...rest };
  return { listen: { host: formatIp(bind.ip), port: bind.low }, ...rest };
}

function log(file: FileConfig['log']): LogConfig {
  return {
    level: file?.level ?? defaults.log.level,
    format: file?.format ?? defaults.log.format,
    output: file?.output ?? defaults.log.output,
    access: file?.access ?? null,
    rotate: file?.rotate
      ? {
          sizeBytes: acceptedValue(parseSize(file.rotate.size)),
          keep: file.rotate.keep ?? defaults.log.keep,
        }
      : null,
  };
}

function state(file: FileConfig['state']): StateConfig | null {
  if (file === undefined) return null;
  return { file: file.file, intervalMs: ms(file.interval ?? defaults.state.interval) };
}

export function buildConfig(file: FileConfig, machine: Machine, remember: Remember): Config {
  const listeners = Object.entries(file.listeners).map(([name, entry]) => {
    const made = listener(name, entry, machine, remember);
    remember(made, ['listeners', name]);
    return made;
  });
  const pools = Object.entries(file.pools).map(([name, entry]) => {
    const users = listeners.filter((one) => one.pool === name);
    const protocols = new Set(users.map(({ protocol }) => protocol));
    const made = pool(name, entry, protocols, machine, remember);
    remember(made, ['pools', name]);
    return made;
  });
  const engineConfig = engine(file.engine, machine);
  remember(engineConfig, ['engine']);
  const adminConfig = admin(file.admin, machine);
  remember(adminConfig, ['admin', 'listen']);
  return deepFreeze({
    listeners,
    pools,
    engine: engineConfig,
    admin: adminConfig,
    log: log(file.log),
    shutdown: {
      drainTimeoutMs: ms(file.shutdown?.drain_timeout ?? defaults.shutdown.drainTimeout),
    },
    state: state(file.state),
    watch: file.watch ?? defaults.watch,
  });
}

function deepFreeze<T>(value: T): T {
  // The bytes of an address cannot be frozen: the language forbids it for array buffer views.
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
