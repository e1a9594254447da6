// What `sluice check` finds out about the machine: with real sockets where the kernel answers, and
// with a stand-in for what a test cannot change.
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.js';
import {
  descriptorsNeeded,
  pingAllowed,
  probeEnvironment,
  probePermissions,
} from '../../src/config/check.js';
import { type HostSystem, hostSystem } from '../../src/config/host-system.js';
import type { LoadedConfig } from '../../src/config/load.js';
import { load } from '../support/bad-file.js';
import { FakeClock } from '../support/fake-clock.js';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function loaded(text: string): LoadedConfig {
  const result = load(`${text}\nadmin: { listen: "127.0.0.1:0" }\n`);
  if (!result.ok) throw new Error(result.errors.map(({ message }) => message).join('; '));
  return result;
}

function listening(bind: string, more = ''): LoadedConfig {
  return loaded(`listeners:
  web:
    bind: ${bind}
    pool: web
    ${more}
pools:
  web: { targets: ["192.0.2.1:80"] }`);
}

/** A machine on which everything is allowed, except for what a test changes. */
const easy: HostSystem = {
  lookup: () => Promise.resolve(null),
  ownAddresses: () => [],
  permissions: () => Promise.resolve({ rawSockets: true, pingGroups: null, groups: [0] }),
  descriptorLimit: () => Promise.resolve(1_000_000),
  cpus: () => 64,
  fileUsable: () => Promise.resolve(null),
};

async function findings(
  { config, originOf }: LoadedConfig,
  system: Partial<HostSystem> = {},
): Promise<readonly string[]> {
  const options = { clock: systemClock(), originOf, system: { ...easy, ...system } };
  const found = await probeEnvironment(config, options);
  return found.map(
    ({ line, column, path, code, message }) => `${line}:${column} ${path} ${code} ${message}`,
  );
}

async function tcpServer(options: object): Promise<Server> {
  const server = createServer().listen(options);
  await once(server, 'listening');
  cleanUps.push(() => server.close());
  return server;
}

function portOf(server: Server | Socket): number {
  return (server.address() as AddressInfo).port;
}

/** Not 127.0.0.1, where ports are also taken by connections of everyone else. */
const host = '127.77.0.1';
const inUse = 'SLUICE_CHECK_ADDRESS_IN_USE';
const taken = 'is taken by another program, or by a sluice that runs already';

describe('an address', () => {
  test('that is free is not mentioned, and is free again afterwards', async () => {
    const server = await tcpServer({ host, port: 0 });
    const port = portOf(server);
    server.close();
    await once(server, 'close');
    const config = listening(`["${host}:${port}", "unix:@sluice-check-${process.pid}"]`);
    expect(await findings(config)).toEqual([]);
    expect(await findings(config)).toEqual([]);
    await tcpServer({ host, port });
  });

  test('that another server has is taken, and the line of the bind is named', async () => {
    const port = portOf(await tcpServer({ host, port: 0 }));
    expect(await findings(listening(`["${host}:0", "${host}:${port}"]`))).toEqual([
      `3:28 listeners.web.bind[1] ${inUse} tcp ${host}:${port} ${taken}`,
    ]);
  });

  test('is taken on every address when one of them is', async () => {
    const port = portOf(await tcpServer({ host, port: 0 }));
    expect(await findings(listening(`"0.0.0.0:${port}"`))).toEqual([
      `3:11 listeners.web.bind ${inUse} tcp 0.0.0.0:${port} ${taken}`,
    ]);
  });

  test('of a UDP listener is tried with UDP', async () => {
    const socket = createSocket('udp4').bind(0, host);
    await once(socket, 'listening');
    cleanUps.push(() => socket.close());
    const port = portOf(socket);
    expect(await findings(listening(`"${host}:${port}"`, 'protocol: udp'))).toEqual([
      `3:11 listeners.web.bind ${inUse} udp ${host}:${port} ${taken}`,
    ]);
    expect(await findings(listening(`"${host}:${port}"`, 'protocol: tcp'))).toEqual([]);
  });

  test('is taken even if its owner would share it (SO_REUSEPORT)', async () => {
    // Node cannot set the option in all versions that we support; python3 is there to build.
    const program =
      'import socket as s; x = s.socket(); x.setsockopt(s.SOL_SOCKET, s.SO_REUSEPORT, 1); ' +
      `x.bind(("${host}", 0)); x.listen(); print(x.getsockname()[1], flush=True); input()`;
    const owner = spawn('python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    cleanUps.push(() => owner.kill());
    const [line] = (await once(owner.stdout, 'data')) as [Buffer];
    const port = line.toString().trim();
    expect(await findings(listening(`"${host}:${port}"`))).toEqual([
      `3:11 listeners.web.bind ${inUse} tcp ${host}:${port} ${taken}`,
    ]);
  });

  test.each(['tcp', 'udp'])('may be IPv4 beside IPv6 only (%s)', async (protocol) => {
    const more = `protocol: ${protocol}\n    ipv6_only: true`;
    expect(await findings(listening('["0.0.0.0:0", "[::]:0"]', more))).toEqual([]);
  });

  test('that no interface has cannot be bound', async () => {
    expect(await findings(listening('"192.0.2.77:0"'))).toEqual([
      '3:11 listeners.web.bind SLUICE_CHECK_BIND_FAILED tcp 192.0.2.77:0 cannot be bound: ' +
        'no interface of this machine has this address',
    ]);
  });

  test('below 1024 is refused to a user without the right', async () => {
    const config = listening('"127.0.0.1:81"');
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect(await findings(config)).toEqual([
        '3:11 listeners.web.bind SLUICE_CHECK_BIND_DENIED ' +
          'this user may not bind tcp 127.0.0.1:81 (EACCES)',
      ]);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  test('of the admin server is tried too', async () => {
    const port = portOf(await tcpServer({ host: '127.0.0.1', port: 0 }));
    const text = `listeners:
  web: { bind: "127.0.0.1:0", pool: web }
pools:
  web: { targets: ["192.0.2.1:80"] }
admin: { listen: "127.0.0.1:${port}" }
`;
    const result = load(text);
    if (!result.ok) throw new Error('refused');
    expect(await findings(result)).toEqual([
      `5:18 admin.listen ${inUse} tcp 127.0.0.1:${port} ${taken}`,
    ]);
  });
});

describe('a unix socket', () => {
  async function folder(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'sluice-check-'));
    cleanUps.push(() => rm(path, { recursive: true }));
    return path;
  }

  test('is free where nothing is, and checking leaves nothing there', async () => {
    const path = join(await folder(), 'x.sock');
    expect(await findings(listening(`"unix:${path}"`))).toEqual([]);
    expect(await findings(listening(`"unix:${path}"`))).toEqual([]);
    await tcpServer({ path });
  });

  test('is taken while somebody listens, by path and by abstract name', async () => {
    const path = join(await folder(), 'x.sock');
    await tcpServer({ path });
    await tcpServer({ path: `\0sluice-taken-${process.pid}` });
    const config = listening(`["unix:${path}", "unix:@sluice-taken-${process.pid}"]`);
    const found = await findings(config);
    expect(found[0]).toContain(`${inUse} unix:${path} ${taken}`);
    expect(found[1]).toContain(`${inUse} unix:@sluice-taken-${process.pid} ${taken}`);
    expect(found).toHaveLength(2);
  });

  test('cannot be where a file or no directory is', async () => {
    const path = await folder();
    await writeFile(join(path, 'file'), '');
    await mkdir(join(path, 'directory'));
    const bind = `["unix:${path}/file", "unix:${path}/directory", "unix:${path}/none/x"]`;
    expect(
      (await findings(listening(bind))).map((line) => line.split('cannot be bound: ')[1]),
    ).toEqual([
      'a file that is no socket is there',
      'a file that is no socket is there',
      `there is no directory ${path}/none`,
    ]);
  });
});

describe('a name', () => {
  const config = loaded(`listeners:
  web: { bind: "127.0.0.1:0", pool: web }
pools:
  web:
    targets: ["good.test:80", "bad.test:80", { address: "bad.test:81", name: x }]`);

  test('that does not resolve is an error at each target that has it', async () => {
    const why = 'SLUICE_CHECK_NAME_UNRESOLVED bad.test does not resolve: there is no such name';
    const lookup = (host: string) =>
      Promise.resolve(host === 'bad.test' ? 'there is no such name' : null);
    expect(await findings(config, { lookup })).toEqual([
      `5:31 pools.web.targets[1] ${why}`,
      `5:46 pools.web.targets[2] ${why}`,
    ]);
  });

  test('that is not answered in time is a warning', async () => {
    const clock = new FakeClock();
    const never = new Promise<null>(() => undefined);
    const answer = probeEnvironment(config.config, {
      clock,
      system: { ...easy, lookup: (host) => (host === 'bad.test' ? never : Promise.resolve(null)) },
      resolveTimeoutMs: 500,
    });
    // The binds are tried first, with real sockets: the timer is there when names are asked.
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(500);
    expect((await answer).map(({ severity, message }) => `${severity} ${message}`)).toEqual([
      'warning no answer about bad.test within 500 ms',
      'warning no answer about bad.test within 500 ms',
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is asked of the real resolver', async () => {
    expect(await hostSystem().lookup('localhost')).toBeNull();
    // RFC 6761: .invalid never resolves. Without a network the resolver does not answer.
    expect(await hostSystem().lookup('nothing.invalid')).toMatch(/^(there is no|the resolver)/);
  });
});

test('a target that is this machine behind a bind to every address is a loop', async () => {
  const port = portOf(await tcpServer({ host: '127.0.0.1', port: 0 }));
  const config = loaded(`listeners:
  web: { bind: "0.0.0.0:${port}", pool: web }
pools:
  web: { targets: ["192.0.2.9:${port}", "192.0.2.10:${port}"] }`);
  const found = await findings(config, { ownAddresses: () => ['127.0.0.1', '192.0.2.9'] });
  expect(found.filter((line) => !line.includes(inUse))).toEqual([
    `4:20 pools.web.targets[0] SLUICE_CHECK_OWN_ADDRESS 192.0.2.9:${port} is this machine, ` +
      'and listeners.web has that port: a loop',
  ]);
});

describe('ICMP', () => {
  const config = loaded(`listeners:
  web: { bind: "127.0.0.1:0", pool: web }
pools:
  web: { health: ping, targets: ["192.0.2.1:80"] }`);

  test('that is not allowed is an error that names the sysctl and the capability', async () => {
    const permissions = () =>
      Promise.resolve({ rawSockets: false, pingGroups: { low: 1, high: 0 }, groups: [1000, 27] });
    expect(await findings(config, { permissions })).toEqual([
      '4:3 pools.web SLUICE_CHECK_ICMP_DENIED ICMP is not allowed: the sysctl ' +
        'net.ipv4.ping_group_range is "1 0" without group 1000, 27, and CAP_NET_RAW is missing',
    ]);
  });

  test('is allowed by the capability, or by one group in the range', () => {
    const pingGroups = { low: 100, high: 200 };
    expect(pingAllowed({ rawSockets: true, pingGroups: null, groups: [1] })).toBe(true);
    expect(pingAllowed({ rawSockets: false, pingGroups, groups: [1, 200] })).toBe(true);
    expect(pingAllowed({ rawSockets: false, pingGroups, groups: [1, 201] })).toBe(false);
    expect(pingAllowed({ rawSockets: false, pingGroups: null, groups: [1] })).toBe(false);
  });

  test('is not asked for when no pool is checked by ping', async () => {
    const permissions = () => Promise.reject(new Error('asked'));
    expect(await findings(listening('"127.0.0.1:0"'), { permissions })).toEqual([]);
  });
});

describe('a file that a health check needs', () => {
  const checked = (health: string) =>
    loaded(`listeners:
  web: { bind: "127.0.0.1:0", pool: web }
pools:
  web: { health: ${health}, targets: ["192.0.2.1:80"] }`);
  const { fileUsable } = hostSystem();

  test('must be there, and be what it is used for', async () => {
    const ca = await findings(checked('{ type: tls, tls: { ca: /nonexistent/ca.pem } }'), {
      fileUsable,
    });
    expect(ca).toEqual([
      '4:3 pools.web SLUICE_CHECK_HEALTH_FILE the health check cannot read /nonexistent/ca.pem: ' +
        'ENOENT',
    ]);
    const program = checked('{ type: exec, exec: { command: [/etc/passwd] } }');
    expect(await findings(program, { fileUsable })).toEqual([
      '4:3 pools.web SLUICE_CHECK_HEALTH_FILE the health check cannot execute /etc/passwd: EACCES',
    ]);
    const folder = checked('{ type: exec, exec: { command: [/etc] } }');
    expect(await findings(folder, { fileUsable })).toEqual([
      '4:3 pools.web SLUICE_CHECK_HEALTH_FILE the health check cannot execute /etc: ' +
        'it is not a file',
    ]);
  });

  test('is asked for at a start too', async () => {
    const { config, originOf } = checked('{ type: exec, exec: { command: [/bin/none-such] } }');
    const found = await probePermissions(config, { clock: systemClock(), originOf });
    expect(found.map(({ code }) => code)).toEqual(['SLUICE_CHECK_HEALTH_FILE']);
  });

  test('with a password is a warning while it cannot be read, and stops no start', async () => {
    const login = 'login: { user: probe, password_file: /nonexistent/password }';
    for (const type of ['postgresql', 'mysql', 'redis']) {
      const config = checked(`{ type: ${type}, ${login} }`);
      const { originOf } = config;
      const options = { clock: systemClock(), originOf, system: { ...easy, fileUsable } };
      expect(await probeEnvironment(config.config, options)).toMatchObject([
        {
          severity: 'warning',
          code: 'SLUICE_CHECK_HEALTH_FILE',
          line: 4,
          path: 'pools.web',
          message:
            'the health check cannot read /nonexistent/password (login.password_file): ENOENT',
        },
      ]);
      expect(await probePermissions(config.config, options)).toEqual([]);
    }
  });

  test('that is there draws no word', async () => {
    const both = checked('{ type: exec, exec: { command: [/bin/sh, -c, "exit 0"] } }');
    expect(await findings(both, { fileUsable })).toEqual([]);
  });
});

describe('the limit on descriptors', () => {
  test('must hold two for each connection, and what sluice itself needs', async () => {
    const config = listening('"127.0.0.1:0"', 'max_connections: 5000');
    const needed = descriptorsNeeded(config.config) ?? 0;
    expect(needed).toBeGreaterThan(10_000);
    expect(needed).toBeLessThan(11_000);
    const limit = (value: number) => ({ descriptorLimit: () => Promise.resolve(value) });
    expect(await findings(config, limit(needed))).toEqual([]);
    const [finding] = await findings(config, limit(needed - 1));
    expect(finding).toContain(
      `SLUICE_CHECK_DESCRIPTORS the configured connections need ${needed} descriptors, ` +
        `${needed - 1} are allowed`,
    );
  });

  test('is not judged when the file sets no number', async () => {
    const config = listening('"127.0.0.1:0"');
    expect(descriptorsNeeded(config.config)).toBeUndefined();
    const descriptorLimit = () => Promise.resolve(1);
    expect(await findings(config, { descriptorLimit })).toEqual([]);
  });
});

test('more workers than CPUs are a warning at the engine', async () => {
  const config = loaded(`listeners:
  web: { bind: "127.0.0.1:0", pool: web }
pools:
  web: { targets: ["192.0.2.1:80"] }
engine: { workers: 4 }`);
  expect(await findings(config, { cpus: () => 2 })).toEqual([
    '5:9 engine SLUICE_CHECK_WORKERS 4 workers share 2 CPUs',
  ]);
});

test('permissions and limits are read from /proc', async () => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-proc-'));
  cleanUps.push(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'proc/self'), { recursive: true });
  await mkdir(join(root, 'proc/sys/net/ipv4'), { recursive: true });
  await writeFile(join(root, 'proc/self/status'), 'Name:\tnode\nCapEff:\t0000000000002000\n');
  await writeFile(
    join(root, 'proc/self/limits'),
    'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024      4096     files\n',
  );
  await writeFile(join(root, 'proc/sys/net/ipv4/ping_group_range'), '0\t2147483647\n');
  const system = hostSystem(root);
  expect(await system.permissions()).toMatchObject({
    rawSockets: true,
    pingGroups: { low: 0, high: 2_147_483_647 },
  });
  expect(await system.descriptorLimit()).toBe(4096);
  await writeFile(join(root, 'proc/self/status'), 'CapEff:\t0000000000001fff\n');
  expect((await system.permissions()).rawSockets).toBe(false);
});

test('this machine answers every question', async () => {
  const system = hostSystem();
  expect(system.ownAddresses()).toContain('127.0.0.1');
  expect(system.cpus()).toBeGreaterThan(0);
  expect((await system.permissions()).groups.length).toBeGreaterThan(0);
  expect(await system.descriptorLimit()).toBeGreaterThan(0);
});
