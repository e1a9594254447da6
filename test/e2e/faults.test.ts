// What a network does to targets: they vanish, refuse, become unreachable, come back. Each fault on
// two hosts in network namespaces of the test's own (faults 6, 7, 8, 12 and 16).
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startEchoProcess } from '../support/echo-process.js';
import { makeNetwork, type Network, networkPossible } from '../support/network.js';
import { temporaryFolder } from '../support/real-server.js';
import { type SluiceProcess, startSluice } from '../support/sluice-process.js';
import { waitFor } from '../support/wait-for.js';

const port = 7000;

interface Bed {
  readonly network: Network;
  readonly socketPath: string;
  start(pool: string, listener?: string): Promise<SluiceProcess>;
}

/** Two hosts, an echo on each of the first `count` target addresses. */
async function testBed(count: number): Promise<Bed> {
  const network = makeNetwork();
  const folder = await temporaryFolder();
  const socketPath = join(folder, 'echo.sock');
  for (const [index, host] of network.targetAddresses.slice(0, count).entries()) {
    await startEchoProcess({ host, port, name: `t${index + 1}`, wrapper: network.targets });
  }
  return {
    network,
    socketPath,
    start: (pool, listener = '') =>
      startSluice(
        `admin: { listen: "unix:${join(folder, 'admin.sock')}" }
log: { format: json, level: debug }
engine: { workers: 1 }
listeners: { echo: { bind: "unix:${socketPath}", pool: echo ${listener} } }
pools:
  echo: ${pool}`,
        { wrapper: network.lb },
      ),
  };
}

const targetsText = (network: Network, count: number): string =>
  network.targetAddresses
    .slice(0, count)
    .map((address, index) => `{ address: "${address}:${port}", name: t${index + 1} }`)
    .join(', ');

/** Connects; resolves with the greeting's name, or with '' when the connection ended without. */
async function greeted(path: string): Promise<{ socket: Socket; name: string }> {
  const socket = connect({ path });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on('error', () => undefined);
  const name = await Promise.race([
    once(socket, 'data').then(([data]) => String(data).trim()),
    once(socket, 'close').then(() => ''),
  ]);
  return { socket, name };
}

async function metric(sluice: SluiceProcess, pattern: RegExp): Promise<number> {
  const text = await (await sluice.admin('/metrics')).text();
  return Number(pattern.exec(text)?.[1] ?? Number.NaN);
}

describe.runIf(networkPossible())('a target', () => {
  it('that swallows everything costs one connect timeout, then it is out of rotation', async () => {
    const bed = await testBed(2);
    const { network, socketPath } = bed;
    const sluice = await bed.start(
      `
    targets: [${targetsText(network, 2)}]
    health: { type: tcp, interval: 300ms, timeout: 200ms, fall: 2, rise: 2 }`,
      ', timeouts: { connect: 250ms }',
    );
    await sluice.event('target_health_changed', ({ target }) => target === 't1');
    network.on('targets', 'nft', 'add table inet f');
    network.on('targets', 'nft', 'add chain inet f i { type filter hook input priority 0; }');
    network.on('targets', 'nft', `add rule inet f i ip daddr ${network.targetAddresses[0]} drop`);
    const droppedAtMs = Date.now();
    const down = sluice.event('target_health_changed', ({ health }) => health === 'unhealthy');
    for (let round = 0; round < 4; round++) expect((await greeted(socketPath)).name).toBe('t2');
    const { time, target } = await down;
    expect(target).toBe('t1');
    // fall x interval + 100 ms, and the failed connects may only have made it sooner.
    expect(Date.parse(String(time)) - droppedAtMs).toBeLessThanOrEqual(2 * 300 + 100);
    const timedOut = /sluice_target_connect_failures_total\{.*t1.*reason="timed_out"\} (\d+)/;
    expect(await metric(sluice, timedOut)).toBeGreaterThan(0);
    const from = sluice.log.length;
    network.on('targets', 'nft', 'delete table inet f');
    await sluice.event('target_health_changed', ({ health }) => health === 'healthy', from);
    await waitFor('t1 in rotation', async () => (await greeted(socketPath)).name === 't1');
  });

  it.each([
    ['refuses', 'reject with tcp reset', 'refused'],
    ['is reported unreachable', 'reject with icmpx type host-unreachable', 'unreachable'],
  ])('that %s is named so, and the connection goes to another', async (_name, verdict, reason) => {
    const bed = await testBed(2);
    const { network, socketPath } = bed;
    network.on('targets', 'nft', 'add table inet f');
    network.on('targets', 'nft', 'add chain inet f i { type filter hook input priority 0; }');
    const daddr = `ip daddr ${network.targetAddresses[0]}`;
    network.on('targets', 'nft', `add rule inet f i ${daddr} ip protocol tcp ${verdict}`);
    const sluice = await bed.start(`{ targets: [${targetsText(network, 2)}], health: none }`);
    for (let round = 0; round < 6; round++) expect((await greeted(socketPath)).name).toBe('t2');
    const failures = `sluice_target_connect_failures_total\\{.*t1.*reason="${reason}"\\} (\\d+)`;
    expect(await metric(sluice, new RegExp(failures))).toBeGreaterThanOrEqual(3);
  });

  it('without a route is unreachable, not a fault of ours', async () => {
    const bed = await testBed(1);
    const { network, socketPath } = bed;
    const sluice = await bed.start(
      `
    targets: [{ address: "198.51.100.1:${port}", name: lost }, ${targetsText(network, 1)}]
    health: none`,
    );
    for (let round = 0; round < 4; round++) expect((await greeted(socketPath)).name).toBe('t1');
    const lost = /sluice_target_connect_failures_total\{.*lost.*reason="unreachable"\} (\d+)/;
    expect(await metric(sluice, lost)).toBeGreaterThanOrEqual(2);
  });

  it('that vanishes in mid-connection is given up after tcp.user_timeout', async () => {
    const bed = await testBed(1);
    const { network, socketPath } = bed;
    const sluice = await bed.start(
      `{ targets: [${targetsText(network, 1)}], health: none, tcp: { user_timeout: 1s } }`,
      ', access_log: true',
    );
    const { socket, name } = await greeted(socketPath);
    expect(name).toBe('t1');
    network.on('targets', 'nft', 'add table inet f');
    network.on('targets', 'nft', 'add chain inet f i { type filter hook input priority 0; }');
    network.on('targets', 'nft', `add rule inet f i ip daddr ${network.targetAddresses[0]} drop`);
    const startedMs = performance.now();
    socket.write('into the void');
    const { reason } = await sluice.event('connection_closed');
    expect(reason).toBe('peer_timeout');
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  it('that stands still keeps its good health from a TCP probe: it does accept', async () => {
    const bed = await testBed(0);
    const { network, socketPath } = bed;
    const host = network.targetAddresses[0] ?? '';
    const still = await startEchoProcess({ host, port, name: 't1', wrapper: network.targets });
    const sluice = await bed.start(
      `
    targets: [${targetsText(network, 1)}]
    health: { type: tcp, interval: 100ms, fall: 2, rise: 1 }`,
      ', timeouts: { idle: 400ms }, access_log: true',
    );
    await sluice.event('target_health_changed');
    still.process.kill('SIGSTOP');
    expect((await greeted(socketPath)).name).toBe('');
    expect(await sluice.event('connection_closed')).toMatchObject({ reason: 'idle_timeout' });
    expect((await sluice.status()).pools[0]?.targets[0]?.health).toBe('healthy');
  });
});

describe.runIf(networkPossible())('health: ping', () => {
  it('tells the host that answers from the one that does not', async () => {
    const bed = await testBed(1);
    const { network, socketPath } = bed;
    const targets = `${targetsText(network, 1)}, { address: "192.0.2.99:${port}", name: gone }`;
    const check = '{ type: ping, interval: 200ms, timeout: 100ms, fall: 2, rise: 2 }';
    const sluice = await bed.start(`{ targets: [${targets}], health: ${check} }`);
    const verdict = (name: string) =>
      sluice.event('target_health_changed', ({ target }) => target === name);
    expect(await verdict('t1')).toMatchObject({ health: 'healthy', reason: 'answered' });
    expect(await verdict('gone')).toMatchObject({ health: 'unhealthy' });
    await waitFor('gone out of rotation', async () => {
      return (await sluice.status()).generation.applied > 1;
    });
    for (let round = 0; round < 4; round++) expect((await greeted(socketPath)).name).toBe('t1');
  });

  it('is refused, naming the sysctl, where neither kind of ping is allowed', async () => {
    const network = makeNetwork();
    network.on('lb', 'sysctl', '-qw', 'net.ipv4.ping_group_range=1 0');
    const sluice = await startSluice(
      `admin: { listen: off }
listeners: { echo: { bind: "127.0.0.1:0", pool: echo } }
pools: { echo: { targets: ["127.0.0.1:9"], health: ping } }`,
      {
        wrapper: [...network.lb, 'setpriv', '--bounding-set=-net_raw', '--inh-caps=-net_raw'],
        waitReady: false,
      },
    );
    expect(await sluice.exited).toEqual({ code: 2, signal: null });
    expect(sluice.stderr()).toContain('net.ipv4.ping_group_range');
    expect(sluice.stderr()).toMatch(/sluice\.yaml:3:\d+ .*SLUICE_CHECK_ICMP_DENIED/);
  });
});

describe.runIf(networkPossible())('source ports', () => {
  it('are counted per target, and running out of them blames no target', async () => {
    const bed = await testBed(3);
    const { network, socketPath } = bed;
    network.on('lb', 'sysctl', '-qw', 'net.ipv4.ip_local_port_range=40000 40099');
    // A port whose connection has ended can be had again after a second instead of a minute.
    network.on('lb', 'sysctl', '-qw', 'net.ipv4.tcp_tw_reuse=1');
    const sluice = await bed.start(
      `{ targets: [${targetsText(network, 3)}], health: none, source: "${network.lbAddress}" }`,
    );
    // A hundred ports towards each of three targets.
    const open: Socket[] = [];
    for (let count = 0; count < 300; count++) {
      const { socket, name } = await greeted(socketPath);
      expect(name, `connection ${count + 1}`).toMatch(/^t[123]$/);
      open.push(socket);
    }
    expect((await greeted(socketPath)).name).toBe('');
    const { listeners, pools } = await sluice.status();
    expect(listeners[0]?.closed.local_error).toBe(1);
    for (const each of pools[0]?.targets ?? []) {
      expect(each).toMatchObject({ active: 100, health: 'unknown', eligible: true });
      expect(each.totals.connect_failed_local).toBeGreaterThan(0);
    }
    const failures = sluice.log.filter(({ event }) => event === 'connect_failed');
    expect(new Set(failures.map(({ failure, error }) => `${failure} ${error}`))).toEqual(
      new Set(['local EADDRNOTAVAIL']),
    );
    for (const socket of open.splice(0, 10)) socket.destroy();
    await waitFor('a free port', async () => (await greeted(socketPath)).name !== '');
  });
});
