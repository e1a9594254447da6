// Configurations for unit tests: each maker fills in what a test does not speak of.
import type { Endpoint, IpAddress, NamedEndpoint } from '../../src/model/address.js';
import type { Config } from '../../src/model/config.js';
import type { CheckOf } from '../../src/model/health-check.js';
import type { Listener, TcpOptions } from '../../src/model/listener.js';
import { noWaiting, type OutlierRules, type Pool } from '../../src/model/pool.js';
import { plainRetries } from '../../src/model/retry.js';
import type { Sticky } from '../../src/model/sticky.js';
import type { Target } from '../../src/model/target.js';

export function ip(text: string): IpAddress {
  return { family: 'ipv4', bytes: Uint8Array.from(text.split('.').map(Number)), scopeId: 0 };
}

export function at(text: string, port = 80): Endpoint {
  return { kind: 'ip', ip: ip(text), port };
}

export function named(host: string, port = 80): NamedEndpoint {
  return { kind: 'name', host, port };
}

const tcp: TcpOptions = {
  nodelay: true,
  userTimeoutMs: 0,
  keepaliveIdleS: 0,
  keepaliveIntervalS: 0,
  keepaliveCount: 0,
};

/** One interval for all states of a target. */
export function every(intervalMs: number) {
  return { intervalMs, fastIntervalMs: intervalMs, downIntervalMs: intervalMs };
}

export const check: CheckOf<'tcp'> = {
  kind: 'tcp',
  ...every(1000),
  timeoutMs: 500,
  rise: 2,
  fall: 3,
  jitter: 0,
  initial: 'healthy',
  port: 0,
};

export const sticky: Sticky = {
  by: 'source',
  prefixV4: 32,
  prefixV6: 128,
  expireMs: 60_000,
  capacity: 1000,
  whenDown: 'repick',
  whenDraining: 'stay',
};

export function target(name: string, changes: Partial<Target> = {}): Target {
  return {
    name,
    address: at('192.0.2.1'),
    weight: 1,
    priority: 0,
    backup: false,
    maxConnections: 0,
    ...changes,
  };
}

/** The defaults of `outlier`. */
export const outlier: OutlierRules = {
  consecutiveFailures: 5,
  failureRateDeviations: 1.9,
  latencyDeviations: 6,
  intervalMs: 10_000,
  minTargets: 5,
  minConnections: 100,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionPercent: 10,
  endOnProbe: false,
};

export function pool(name: string, targets: readonly Target[], changes: Partial<Pool> = {}): Pool {
  return {
    name,
    policy: {
      name: 'round_robin',
      key: 'source',
      prefixV4: 32,
      prefixV6: 128,
      load: 'connections',
      boundedLoad: 0,
    },
    sticky: null,
    targets,
    health: check,
    agent: null,
    role: 'any',
    roleConfirm: 3,
    retries: 2,
    retry: plainRetries,
    whenNoneHealthy: 'refuse',
    onDown: 'keep',
    drain: { deadlineMs: 30_000, closeOverMs: 10_000 },
    tiers: { overprovisioning: 1.4, panicThreshold: 0 },
    backups: 'all',
    passive: null,
    outlier: null,
    queue: noWaiting,
    park: noWaiting,
    sources: [],
    tcp,
    ...changes,
  };
}

export function listener(
  name: string,
  poolName: string,
  changes: Partial<Listener> = {},
): Listener {
  return {
    name,
    protocol: 'tcp',
    binds: [at('127.0.0.1', 0)],
    ipv6Only: false,
    pool: poolName,
    timeouts: { connectMs: 1000, idleMs: 0, halfCloseMs: 0, lifetimeMs: 0 },
    backlog: 1024,
    maxConnections: 0,
    tcp,
    udp: { requests: 0, responses: 0, sessionsMax: 1024, bulk: false },
    unixMode: 0o666,
    accessLog: false,
    replayBytes: 0,
    ...changes,
  };
}

export function config(
  listeners: readonly Listener[],
  pools: readonly Pool[],
  changes: Partial<Config> = {},
): Config {
  return {
    listeners,
    pools,
    engine: { workers: 1, maxConnections: 0, splice: true, bufferBytes: 65_536 },
    admin: { listen: null, hosts: [], tokens: [] },
    log: { level: 'info', format: 'json', output: 'stdout', access: null, rotate: null },
    shutdown: { drainTimeoutMs: 10_000 },
    state: null,
    watch: false,
    ...changes,
  };
}
