// Every default, as it would stand in a file. The schema, the model and docs/configuration.md all
// take them from here; why each is what it is stands in docs/configuration.md.

export const defaults = {
  listener: {
    protocol: 'tcp',
    backlog: 4096,
    maxConnections: 'off',
    ipv6Only: false,
    unixMode: '0660',
    accessLog: false,
    bulk: false,
  },
  timeouts: { connect: '5s', idleTcp: '1h', idleUdp: '1m', halfClose: '5m', lifetime: 'off' },
  tcp: { nodelay: true, userTimeout: '2m' },
  // 60 s of silence, then 6 probes 10 s apart: the same 2 minutes that userTimeout allows.
  keepalive: { idle: '1m', interval: '10s', count: 6 },
  udp: { requests: 'off', responses: 'off', maxSessions: 16384 },
  pool: { policy: 'round_robin', retries: 2, whenNoneHealthy: 'refuse', backups: 'all' },
  tiers: { overprovisioning: 1.4, panicThreshold: 0 },
  policy: { prefixV4: 32, prefixV6: 128 },
  passive: { maxFails: 1, failTimeout: '10s' },
  outlier: {
    consecutiveFailures: 5,
    failureRateDeviations: 1.9,
    latencyDeviations: 'off',
    interval: '10s',
    minTargets: 5,
    minConnections: 100,
    baseEjectionTime: '30s',
    maxEjectionTime: '5m',
    maxEjectionPercent: 10,
  },
  target: { weight: 1, priority: 0, backup: false, maxConnections: 'off' },
  health: {
    interval: '2s',
    /** The timeout is the interval, but no more than this. */
    timeoutMax: '5s',
    rise: 2,
    fall: 3,
    jitter: 0.1,
    initial: 'healthy',
    tls: { verify: true },
    http: { method: 'GET', path: '/', status: '200-399' },
    udp: { silence: 'bad' },
    dns: { type: 'A', codes: ['NOERROR'], answers: 0 },
  },
  engine: { workers: 'auto', maxConnections: 'auto', splice: 'auto', buffer: '64KiB' },
  admin: { listen: '127.0.0.1:9090' },
  log: { level: 'info', format: 'auto', output: 'stdout' },
  shutdown: { drainTimeout: '30s' },
  state: { interval: '1s' },
  watch: false,
} as const;
