// Policies inside the real addon: keys that need the sockets, and signals that come from real
// connections.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/addon.js';
import { type Policy, policyNames } from '../../src/model/policy.js';
import { startTcpEcho, startUdpEcho } from '../support/echo-target.js';
import { ipv4, startEngineHarness } from '../support/engine-harness.js';
import { track } from '../support/track.js';
import { waitFor } from '../support/wait-for.js';

const byDestination: Policy = {
  name: 'maglev',
  key: 'destination',
  prefixV4: 32,
  prefixV6: 128,
  load: 'connections',
  boundedLoad: 0,
};
const everywhere = { kind: 'ip', ip: ipv4('0.0.0.0'), port: 0 } as const;
const destinations = Array.from({ length: 40 }, (_, index) => `127.0.1.${index + 1}`);

interface UdpSocket {
  readonly socket: Socket;
  close(): Promise<void>;
}

async function talkByTcp(host: string, port: number): Promise<void> {
  const socket = connect(port, host);
  socket.end('x');
  socket.resume();
  await once(socket, 'close');
}

/** Closes only when there is an answer, or when there will be none. */
async function askByTcp(host: string, port: number): Promise<void> {
  const socket = connect(port, host);
  socket.write('x');
  socket.once('data', () => socket.end());
  await once(socket, 'close');
}

function udpSocket(): UdpSocket {
  const socket = createSocket('udp4');
  return { socket, close: () => new Promise((resolve) => socket.close(() => resolve())) };
}

async function talkByUdp({ socket }: UdpSocket, host: string, port: number): Promise<void> {
  const answered = once(socket, 'message');
  socket.send('x', port, host);
  await answered;
}

interface RudeTarget {
  readonly port: number;
  readonly accepted: () => number;
  close(): Promise<void>;
}

/** Takes each connection, reads what the client says, and closes without a word. */
async function startRudeTarget(): Promise<RudeTarget> {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    accepted: () => accepted,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

/** A port of loopback on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('the list of policies', () => {
  it('is the same in the addon and in the configuration', () => {
    const { nameOf, values } = loadAddon().layout.enums.policy;
    expect([...nameOf.values()].sort()).toEqual([...policyNames].sort());
    expect(nameOf.size).toBe(policyNames.length);
    for (const name of policyNames) expect(nameOf.get(values[name]), name).toBe(name);
  });
});

describe('a key of the destination', () => {
  for (const protocol of ['tcp', 'udp'] as const) {
    it(`is the address that the client used, on a wildcard bind, by ${protocol}`, async () => {
      const start = protocol === 'tcp' ? startTcpEcho : startUdpEcho;
      const targets = [track(await start()), track(await start()), track(await start())];
      const harness = track(startEngineHarness());
      await harness.apply({
        generation: 1,
        listeners: [{ protocol, binds: [everywhere] }],
        pools: [{ targets: targets.map(({ port }) => port), overrides: { policy: byDestination } }],
      });
      const port = harness.port(0);
      const counter = protocol === 'tcp' ? 'connections_opened' : 'sessions_opened';
      const opened = (): readonly number[] =>
        targets.map((_, slot) => harness.engine.counters.target(slot).get(counter) ?? 0);
      const picked = new Map<string, number>();
      for (let round = 0; round < 3; round++) {
        for (const host of destinations) {
          const before = opened();
          if (protocol === 'tcp') {
            await talkByTcp(host, port);
          } else {
            // Another socket is another session, as long as none before has left its port to it.
            const socket = track(udpSocket());
            await talkByUdp(socket, host, port);
          }
          const slot = opened().findIndex((count, index) => count > (before[index] ?? 0));
          expect(slot).toBeGreaterThanOrEqual(0);
          expect(picked.get(host) ?? slot).toBe(slot);
          picked.set(host, slot);
        }
      }
      expect(new Set(picked.values()).size).toBe(3);
    });
  }
});

describe('least_response_time', () => {
  it('does not take a target that refuses at once for a fast one', async () => {
    const target = track(await startTcpEcho());
    const harness = track(startEngineHarness());
    await harness.apply({
      generation: 1,
      listeners: [{}],
      pools: [{ targets: [await closedPort(), target.port], policy: 'least_response_time' }],
    });
    for (let client = 0; client < 50; client++) await talkByTcp('127.0.0.1', harness.port(0));
    await waitFor('the connections to end', () => harness.engine.counters.targetActive(1) === 0);
    // The one that went to look, and perhaps one more after a second of silence.
    expect(harness.connectFailures.length).toBeGreaterThan(0);
    expect(harness.connectFailures.length).toBeLessThan(4);
    expect(harness.engine.counters.target(1).get('connections_opened')).toBe(50);
  });

  it('does not take a target that closes without an answer for a fast one', async () => {
    const rude = track(await startRudeTarget());
    const target = track(await startTcpEcho());
    const harness = track(startEngineHarness({ workers: 1 }));
    await harness.apply({
      generation: 1,
      listeners: [{}],
      pools: [{ targets: [rude.port, target.port], policy: 'least_response_time' }],
    });
    const closed = (slot: number): number =>
      harness.engine.counters.target(slot).get('connections_closed') ?? 0;
    for (let client = 1; client <= 50; client++) {
      await askByTcp('127.0.0.1', harness.port(0));
      await waitFor('the connection to end', () => closed(0) + closed(1) === client);
    }
    expect(rude.accepted()).toBeGreaterThan(0);
    expect(rude.accepted()).toBeLessThan(10);
    expect(closed(1)).toBe(50 - closed(0));
  });
});

describe('first', () => {
  it('fills one tcp target before it touches the next', async () => {
    const targets = [track(await startTcpEcho()), track(await startTcpEcho())];
    const harness = track(startEngineHarness());
    await harness.apply({
      generation: 1,
      listeners: [{}],
      pools: [{ targets: targets.map(({ port }) => port), policy: 'first', maxConnections: 3 }],
    });
    const active = (slot: number): number => harness.engine.counters.targetActive(slot);
    for (let open = 1; open <= 5; open++) {
      const client = connect(harness.port(0), '127.0.0.1');
      track({ close: async () => void client.destroy() });
      await waitFor('the connection to be placed', () => active(0) + active(1) === open);
      expect([active(0), active(1)]).toEqual([Math.min(open, 3), Math.max(open - 3, 0)]);
    }
  });

  it('fills one udp target before it touches the next', async () => {
    const targets = [track(await startUdpEcho()), track(await startUdpEcho())];
    const harness = track(startEngineHarness());
    await harness.apply({
      generation: 1,
      listeners: [{ protocol: 'udp' }],
      pools: [{ targets: targets.map(({ port }) => port), policy: 'first', maxConnections: 3 }],
    });
    for (let session = 0; session < 5; session++) {
      await talkByUdp(track(udpSocket()), '127.0.0.1', harness.port(0));
    }
    expect(targets.map(({ accepted }) => accepted())).toEqual([3, 2]);
  });
});

interface Talker {
  /** One question, and all of its answer. */
  ask(): Promise<void>;
}

async function startTalker(protocol: 'tcp' | 'udp', port: number): Promise<Talker> {
  const question = Buffer.alloc(1000);
  if (protocol === 'udp') {
    const { socket } = track(udpSocket());
    return {
      async ask() {
        const answered = once(socket, 'message');
        socket.send(question, port, '127.0.0.1');
        await answered;
      },
    };
  }
  const socket = connect(port, '127.0.0.1');
  track({ close: async () => void socket.destroy() });
  await once(socket, 'connect');
  return {
    async ask() {
      let missing = question.length;
      socket.write(question);
      while (missing > 0) {
        const [data]: Buffer[] = await once(socket, 'data');
        missing -= data?.length ?? 0;
      }
    },
  };
}

describe('least_bandwidth', () => {
  for (const protocol of ['tcp', 'udp'] as const) {
    it(`sends who is new away from the ${protocol} target that moves bytes`, async () => {
      const start = protocol === 'tcp' ? startTcpEcho : startUdpEcho;
      const targets = [track(await start()), track(await start())];
      const harness = track(startEngineHarness());
      await harness.apply({
        generation: 1,
        listeners: [{ protocol }],
        pools: [{ targets: targets.map(({ port }) => port), policy: 'least_bandwidth' }],
      });
      const port = harness.port(0);
      const accepted = (): readonly number[] => targets.map((target) => target.accepted());
      const talker = await startTalker(protocol, port);
      await talker.ask();
      const busy = accepted().indexOf(1);
      // By connections the two would take turns: nobody goes away who has come.
      let elsewhere = 0;
      await waitFor('six in a row to go to the other target', async () => {
        for (let question = 0; question < 20; question++) await talker.ask();
        const before = accepted()[busy];
        await (await startTalker(protocol, port)).ask();
        elsewhere = accepted()[busy] === before ? elsewhere + 1 : 0;
        return elsewhere === 6;
      });
    });
  }
});
