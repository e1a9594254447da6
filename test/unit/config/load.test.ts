// Good files: what each key becomes in the model, what is assumed when it is left out, and that
// the result cannot be changed.

import { describe, expect, test, vi } from 'vitest';
import type { LoadedConfig } from '../../../src/config/load.js';
import type { Policy, PolicyName } from '../../../src/model/policy.js';
import { plainRetries } from '../../../src/model/retry.js';
import { load, withBind, withPool, withTarget, withTop } from '../../support/bad-file.js';

function policy(name: PolicyName, overrides: Partial<Policy> = {}): Policy {
  return {
    name,
    key: 'source',
    prefixV4: 32,
    prefixV6: 128,
    load: 'connections',
    boundedLoad: 0,
    ...overrides,
  };
}

function good(text: string): LoadedConfig {
  const result = load(text);
  if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join('; '));
  expect(result.warnings).toEqual([]);
  return result;
}

const minimal = `listeners:
  web: { bind: "127.0.0.1:8080", pool: web }
pools:
  web: { targets: ["10.0.0.1:80"] }
`;

const ipv4 = (...bytes: number[]) => ({
  family: 'ipv4',
  bytes: Uint8Array.from(bytes),
  scopeId: 0,
});
const ipv6 = (first: number[], last: number[] = []) => ({
  family: 'ipv6',
  bytes: Uint8Array.from([...first, ...Array(16 - first.length - last.length).fill(0), ...last]),
  scopeId: 0,
});
const ip = (address: object, port: number) => ({ kind: 'ip', ip: address, port });

describe('what is left out', () => {
  const { config } = good(minimal);

  test('in a listener is a safe default', () => {
    expect(config.listeners).toEqual([
      {
        name: 'web',
        protocol: 'tcp',
        binds: [ip(ipv4(127, 0, 0, 1), 8080)],
        ipv6Only: false,
        pool: 'web',
        timeouts: { connectMs: 5000, idleMs: 3_600_000, halfCloseMs: 300_000, lifetimeMs: 0 },
        backlog: 4096,
        maxConnections: 0,
        tcp: {
          nodelay: true,
          userTimeoutMs: 120_000,
          keepaliveIdleS: 60,
          keepaliveIntervalS: 10,
          keepaliveCount: 6,
        },
        udp: { requests: 0, responses: 0, sessionsMax: 16_384, bulk: false },
        unixMode: 0o660,
        accessLog: false,
        replayBytes: 0,
      },
    ]);
  });

  test('in a pool and a target is a safe default', () => {
    expect(config.pools).toMatchObject([
      {
        name: 'web',
        policy: policy('round_robin'),
        sticky: null,
        targets: [
          {
            name: '10.0.0.1:80',
            address: ip(ipv4(10, 0, 0, 1), 80),
            weight: 1,
            priority: 0,
            backup: false,
            maxConnections: 0,
          },
        ],
        health: {
          kind: 'tcp',
          intervalMs: 2000,
          fastIntervalMs: 2000,
          downIntervalMs: 2000,
          timeoutMs: 2000,
          rise: 2,
          fall: 3,
          jitter: 0.1,
          initial: 'healthy',
          port: 0,
        },
        role: 'any',
        roleConfirm: 3,
        retries: 2,
        retry: plainRetries,
        whenNoneHealthy: 'refuse',
        tiers: { overprovisioning: 1.4, panicThreshold: 0 },
        backups: 'all',
        passive: null,
        outlier: null,
        queue: { max: 0, timeoutMs: 0 },
        park: { max: 0, timeoutMs: 0 },
        sources: [],
      },
    ]);
  });

  test('everywhere else is a safe default', () => {
    expect(config).toMatchObject({
      engine: { workers: 2, maxConnections: 0, splice: true, bufferBytes: 65_536 },
      admin: { listen: { host: '127.0.0.1', port: 9090 }, hosts: [], tokens: [] },
      log: { level: 'info', format: 'auto', output: 'stdout', access: null, rotate: null },
      shutdown: { drainTimeoutMs: 30_000 },
      state: null,
      watch: false,
    });
  });

  test('depends on the protocol: udp sessions end sooner, and are not checked by tcp', () => {
    const udp = good(withBind('"127.0.0.1:53"\n    protocol: udp')).config;
    expect(udp.listeners[0]?.timeouts.idleMs).toBe(60_000);
    expect(udp.pools[0]?.health.kind).toBe('none');
    const both = good(`listeners:
  dns: { bind: "127.0.0.1:53", protocol: udp, pool: dns }
  dns-tcp: { bind: "127.0.0.1:53", protocol: tcp, pool: dns }
pools:
  dns: { targets: ["10.0.0.1:53"] }
`).config;
    expect(both.pools[0]?.health.kind).toBe('tcp');
  });

  test('a timeout of checks follows the interval, up to 5 s', () => {
    const timeoutOf = (interval: string) =>
      good(withPool(`health: { interval: ${interval} }`)).config.pools[0]?.health.timeoutMs;
    expect([timeoutOf('500ms'), timeoutOf('5s'), timeoutOf('1m')]).toEqual([500, 5000, 5000]);
  });
});

describe('a bind', () => {
  const bindsOf = (bind: string) => good(withBind(bind)).config.listeners[0]?.binds;

  test.each([
    ['1.2.3.4:80', [ip(ipv4(1, 2, 3, 4), 80)]],
    ['127.0.0.1:0', [ip(ipv4(127, 0, 0, 1), 0)]],
    ['[::1]:80', [ip(ipv6([], [1]), 80)]],
    ['*:80', [ip(ipv6([]), 80)]],
    [':80', [ip(ipv6([]), 80)]],
    ['[::]:80', [ip(ipv6([]), 80)]],
    ['0.0.0.0:80', [ip(ipv4(0, 0, 0, 0), 80)]],
    ['[::ffff:1.2.3.4]:80', [ip(ipv4(1, 2, 3, 4), 80)]],
    ['[fe80::1%7]:80', [ip({ ...ipv6([0xfe, 0x80], [1]), scopeId: 7 }, 80)]],
    ['unix:/run/x.sock', [{ kind: 'unix', path: '/run/x.sock' }]],
    ['unix:@name', [{ kind: 'unix', path: '@name' }]],
    ['127.0.0.1:8000-8002', [8000, 8001, 8002].map((port) => ip(ipv4(127, 0, 0, 1), port))],
  ])('%s is understood', (text, binds) => {
    expect(bindsOf(JSON.stringify(text))).toEqual(binds);
  });

  test('may be one of several', () => {
    expect(bindsOf('["127.0.0.1:80", "[::1]:80", "unix:@x"]')).toHaveLength(3);
  });

  test('may share a port with another protocol, another address, or IPv4 beside IPv6 only', () => {
    good(`listeners:
  a: { bind: "127.0.0.1:53", pool: web }
  b: { bind: "127.0.0.1:53", protocol: udp, pool: web }
  c: { bind: "127.0.0.2:53", pool: web }
  d: { bind: "[::]:53", ipv6_only: true, pool: web }
  e: { bind: ["127.0.0.1:0", "127.0.0.1:0"], pool: web }
pools:
  web: { targets: ["10.0.0.1:53"] }
`);
  });
});

describe('a target', () => {
  const targetOf = (text: string) => good(withTarget(text)).config.pools[0]?.targets[0];

  test.each([
    ['db1:5432', { kind: 'name', host: 'db1', port: 5432 }],
    ['DB1.Example.org.:5432', { kind: 'name', host: 'db1.example.org.', port: 5432 }],
    ['my_db:1', { kind: 'name', host: 'my_db', port: 1 }],
    ['[fd00::1]:80', ip(ipv6([0xfd, 0], [1]), 80)],
    ['unix:/run/x', { kind: 'unix', path: '/run/x' }],
  ])('%s is understood', (text, address) => {
    expect(targetOf(JSON.stringify(text))).toMatchObject({ name: text, address });
  });

  test('may say everything about itself', () => {
    const text = '{ address: "db1:5432", name: db1, weight: 0, priority: 3, max_connections: 100 }';
    const file = withTarget(`${text}\n      - "db2:5432"`);
    expect(good(file).config.pools[0]?.targets[0]).toEqual({
      name: 'db1',
      address: { kind: 'name', host: 'db1', port: 5432 },
      weight: 0,
      priority: 3,
      backup: false,
      maxConnections: 100,
    });
    const backup = withTarget('{ address: "db1:5432", backup: true }\n      - "db2:5432"');
    expect(good(backup).config.pools[0]?.targets.map((one) => one.backup)).toEqual([true, false]);
  });

  test('may stand in a tier, with rules of its pool', () => {
    const low = '{ address: "db1:5432", priority: 15 }';
    const text = withTarget(
      `"db0:5432"\n      - ${low}\n      - { address: "db2:1", backup: true }`,
    );
    const tiers = 'tiers: { overprovisioning: 2.5, panic_threshold: 50 }\n    backups: one';
    const made = good(text.replace('    targets:', `    ${tiers}\n    targets:`)).config.pools[0];
    expect(made?.tiers).toEqual({ overprovisioning: 2.5, panicThreshold: 50 });
    expect(made?.backups).toBe('one');
    expect(made?.targets.map(({ priority }) => priority)).toEqual([0, 15, 0]);
  });

  test('may be ejected by rules of its pool, each with its default', () => {
    const rules = (text: string) =>
      good(withPool(text).replace('["10.0.0.1:80"]', '["10.0.0.1:80", "10.0.0.2:80"]')).config
        .pools[0];
    expect(rules('passive: {}')?.passive).toEqual({
      maxFails: 1,
      failTimeoutMs: 10_000,
      endOnProbe: false,
    });
    expect(rules('passive: { max_fails: 3, fail_timeout: 1m }')?.passive).toEqual({
      maxFails: 3,
      failTimeoutMs: 60_000,
      endOnProbe: false,
    });
    expect(rules('outlier: {}')?.outlier).toEqual({
      consecutiveFailures: 5,
      failureRateDeviations: 1.9,
      latencyDeviations: 0,
      intervalMs: 10_000,
      minTargets: 5,
      minConnections: 100,
      baseEjectionMs: 30_000,
      maxEjectionMs: 300_000,
      maxEjectionPercent: 10,
      endOnProbe: false,
    });
    const ends = rules('passive: { end_on_probe: true }\n    outlier: { end_on_probe: true }');
    expect(ends).toMatchObject({ passive: { endOnProbe: true }, outlier: { endOnProbe: true } });
  });

  test('may be the address of another listener, as long as the way does not lead back', () => {
    good(`listeners:
  a: { bind: "127.0.0.1:80", pool: a }
  b: { bind: "127.0.0.1:81", pool: b }
pools:
  a: { targets: ["127.0.0.1:81"] }
  b: { targets: ["10.0.0.1:80"] }
`);
  });

  test('may have the address of its own listener under the other protocol', () => {
    good(`listeners:
  a: { bind: "127.0.0.1:80", protocol: udp, pool: a }
  b: { bind: "127.0.0.1:80", protocol: tcp, pool: b }
pools:
  a: { targets: ["10.0.0.1:80"] }
  b: { targets: ["10.0.0.1:80"] }
`);
  });
});

test('every key of a listener reaches the model', () => {
  const { config } = good(
    withBind(`"unix:/run/x.sock"
    timeouts: { connect: 250ms, idle: off, half_close: 2s, lifetime: 1h }
    backlog: 128
    max_connections: 5
    unix_mode: "600"
    access_log: true
    tcp: { nodelay: false, user_timeout: off, keepalive: { idle: 30s, interval: 5s, count: 3 } }`),
  );
  expect(config.listeners[0]).toMatchObject({
    timeouts: { connectMs: 250, idleMs: 0, halfCloseMs: 2000, lifetimeMs: 3_600_000 },
    backlog: 128,
    maxConnections: 5,
    unixMode: 0o600,
    accessLog: true,
    tcp: {
      nodelay: false,
      userTimeoutMs: 0,
      keepaliveIdleS: 30,
      keepaliveIntervalS: 5,
      keepaliveCount: 3,
    },
  });
  const udp = good(
    withBind(`"[::]:53"
    protocol: udp
    ipv6_only: true
    bulk: true
    udp: { requests: 2, responses: 1, max_sessions: 10 }`),
  );
  expect(udp.config.listeners[0]).toMatchObject({
    ipv6Only: true,
    udp: { requests: 2, responses: 1, sessionsMax: 10, bulk: true },
  });
});

test('every key of a pool reaches the model', () => {
  const { config } = good(
    withPool(`policy: { name: source_hash, prefix_v4: 24, prefix_v6: 56 }
    sticky:
      { by: source, prefix_v4: 16, prefix_v6: 48, expire: 1h, capacity: 5, when_down: refuse,
        when_draining: repick }
    health:
      { type: tcp, interval: 5s, timeout: 1s, fast_interval: 1s,
        down_interval: 1m, rise: 1, fall: 4, jitter: 0, initial: unhealthy,
        port: 81 }
    retries: 0
    when_none_healthy: use_all
    source: ["10.0.0.5", "10.0.0.6"]
    tcp: { keepalive: off }`),
  );
  expect(config.pools[0]).toMatchObject({
    policy: policy('source_hash', { prefixV4: 24, prefixV6: 56 }),
    sticky: {
      by: 'source',
      prefixV4: 16,
      prefixV6: 48,
      expireMs: 3_600_000,
      capacity: 5,
      whenDown: 'refuse',
      whenDraining: 'repick',
    },
    health: {
      kind: 'tcp',
      intervalMs: 5000,
      fastIntervalMs: 1000,
      downIntervalMs: 60_000,
      timeoutMs: 1000,
      rise: 1,
      fall: 4,
      jitter: 0,
      initial: 'unhealthy',
      port: 81,
    },
    retries: 0,
    whenNoneHealthy: 'use_all',
    sources: [ipv4(10, 0, 0, 5), ipv4(10, 0, 0, 6)],
    tcp: { nodelay: true, keepaliveIdleS: 0, keepaliveIntervalS: 0, keepaliveCount: 0 },
  });
  const login = '{ user: me, password_file: /etc/p, database: db }';
  const asked = good(withPool(`health: { type: postgresql, login: ${login} }`)).config.pools[0];
  expect(asked?.health).toMatchObject({
    kind: 'postgresql',
    login: { user: 'me', passwordFile: '/etc/p', database: 'db' },
  });
  const primary = good(withPool('role: primary\n    role_confirm: 5\n    health: redis'));
  expect(primary.config.pools[0]).toMatchObject({ role: 'primary', roleConfirm: 5 });
  expect(good(withPool('health: redis')).config.pools[0]?.health).toMatchObject({ login: null });
  expect(good(withPool('source: "10.0.0.5"')).config.pools[0]?.sources).toHaveLength(1);
  const byDefault = {
    by: 'source',
    prefixV4: 32,
    prefixV6: 128,
    expireMs: 1_800_000,
    capacity: 100_000,
    whenDown: 'repick',
    whenDraining: 'stay',
  };
  for (const text of ['source', '{ by: source }']) {
    expect(good(withPool(`sticky: ${text}`)).config.pools[0]?.sticky).toEqual(byDefault);
  }
  expect(good(withPool('sticky: off')).config.pools[0]?.sticky).toBeNull();
});

test('who may wait, how many and how long, has defaults once it is wanted', () => {
  const of = (text: string) => {
    const limited = withPool(text).replace(
      /"10\.0\.0\.1:80"/,
      '{ address: "10.0.0.1:80", max_connections: 1 }',
    );
    return good(limited).config.pools[0];
  };
  expect(of('queue: {}')).toMatchObject({
    queue: { max: 1024, timeoutMs: 5000 },
    park: { max: 0, timeoutMs: 0 },
  });
  expect(of('queue: { max: 7, timeout: 3s }')?.queue).toEqual({ max: 7, timeoutMs: 3000 });
  expect(of('queue: off')?.queue).toEqual({ max: 0, timeoutMs: 0 });
  expect(of('when_none_healthy: park')?.park).toEqual({ max: 1024, timeoutMs: 30_000 });
  expect(of('when_none_healthy: park\n    park: { max: 9, timeout: 1m }')).toMatchObject({
    whenNoneHealthy: 'park',
    park: { max: 9, timeoutMs: 60_000 },
  });
});

test('what happens to the connections of a target reaches the model', () => {
  const of = (text: string) => good(withPool(text)).config.pools[0];
  const rules = { deadlineMs: 30_000, closeOverMs: 10_000 };
  expect(of('on_down: keep')).toMatchObject({ onDown: 'keep', drain: rules });
  expect(of('on_down: close')?.onDown).toBe('close');
  expect(of('on_down: drain\n    drain: { deadline: off, close_over: 0s }')).toMatchObject({
    onDown: 'drain',
    drain: { deadlineMs: null, closeOverMs: 0 },
  });
  expect(of('drain: { deadline: 0s }')?.drain).toEqual({ deadlineMs: 0, closeOverMs: 10_000 });
});

test('every other key reaches the model', () => {
  const { config } = good(
    withTop(`engine: { workers: 3, max_connections: 1000, splice: off, buffer: 128KiB }
admin: { listen: "unix:/run/sluice.sock" }
log:
  level: debug
  format: json
  output: /var/log/sluice.log
  access: syslog+tcp://[2001:db8::1]:6514
  rotate: { size: 100MiB }
shutdown: { drain_timeout: 0s }
state: { file: /var/lib/sluice/state.json, interval: 250ms }
watch: true`),
  );
  expect(config).toMatchObject({
    engine: { workers: 3, maxConnections: 1000, splice: false, bufferBytes: 131_072 },
    admin: { listen: { path: '/run/sluice.sock' }, hosts: [], tokens: [] },
    log: {
      level: 'debug',
      format: 'json',
      output: '/var/log/sluice.log',
      access: 'syslog+tcp://[2001:db8::1]:6514',
      rotate: { sizeBytes: 100 * 1024 * 1024, keep: 5 },
    },
    shutdown: { drainTimeoutMs: 0 },
    state: { file: '/var/lib/sluice/state.json', intervalMs: 250 },
    watch: true,
  });
  expect(good(withTop('admin: { listen: off }')).config.admin.listen).toBeNull();
  const ipv6 = good(withTop('admin: { listen: "[::1]:9000" }')).config.admin.listen;
  expect(ipv6).toEqual({ host: '::1', port: 9000 });
});

test('aliases and merges repeat a part, and what is written at the place itself wins', () => {
  const { config } = good(`listeners:
  a: &base { bind: "127.0.0.1:80", pool: web, timeouts: &times { connect: 1s }, backlog: 7 }
  b: { <<: *base, bind: "127.0.0.1:81", backlog: 9 }
  c: { bind: "127.0.0.1:82", pool: web, timeouts: *times }
pools:
  web: { targets: ["10.0.0.1:80"] }
`);
  expect(
    config.listeners.map((listener) => [
      listener.timeouts.connectMs,
      listener.backlog,
      listener.binds.map((bind) => bind.kind === 'ip' && bind.port),
    ]),
  ).toEqual([
    [1000, 7, [80]],
    [1000, 9, [81]],
    [1000, 4096, [82]],
  ]);
});

test('the model is frozen through and through', () => {
  const { config } = good(minimal);
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
    expect(Object.isFrozen(value)).toBe(true);
    for (const part of Object.values(value)) walk(part);
  };
  walk(config);
});

test('each part of the model knows where it stands in the file', () => {
  const { config, originOf } = good(
    'listeners:\n  web:\n    bind: ["127.0.0.1:80", "127.0.0.1:81-82"]\n    pool: web\n' +
      'pools:\n  web:\n    targets: ["10.0.0.1:80"]\nengine: { workers: 1 }\n',
  );
  const place = (part: object | undefined) => {
    const origin = part === undefined ? null : originOf(part);
    return origin && `${origin.line}:${origin.column} ${origin.path}`;
  };
  const [listener] = config.listeners;
  const [pool] = config.pools;
  expect(place(listener)).toBe('2:3 listeners.web');
  expect(place(listener?.binds[0])).toBe('3:12 listeners.web.bind[0]');
  expect(place(listener?.binds[2])).toBe('3:28 listeners.web.bind[1]');
  expect(place(pool)).toBe('6:3 pools.web');
  expect(place(pool?.targets[0])).toBe('7:15 pools.web.targets[0]');
  expect(place(config.engine)).toBe('8:9 engine');
  expect(originOf({})).toBeNull();
});

test('the same bytes give the same answer', () => {
  expect(good(minimal).config).toEqual(good(minimal).config);
});

test('the text is not searched once more for each item of a long list', () => {
  const targets = Array.from({ length: 300 }, (_, index) => `10.0.0.${index % 250}:${1 + index}`);
  const search = vi.spyOn(String.prototype, 'lastIndexOf');
  try {
    // As JSON: a search for the dash of an item would run back to the start of the file.
    const { config } = good(
      JSON.stringify({
        listeners: { web: { bind: '127.0.0.1:80', pool: 'web' } },
        pools: { web: { targets } },
      }),
    );
    expect(config.pools[0]?.targets).toHaveLength(targets.length);
    const dashes = search.mock.calls.filter(([wanted]) => wanted === '-');
    expect(dashes).toEqual([]);
  } finally {
    search.mockRestore();
  }
});
