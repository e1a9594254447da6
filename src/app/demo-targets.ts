// Demo targets: small servers inside sluice, so that a first run has something to balance. A TCP
// one answers any HTTP request with its own name, a UDP one echoes a datagram behind its name.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { SluiceError, systemErrorName } from '../errors.js';
import { formatIp } from '../model/address-text.js';
import type { Config } from '../model/config.js';
import type { Protocol } from '../model/listener.js';

export interface DemoTarget {
  readonly name: string;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
}

export interface DemoTargets {
  readonly targets: readonly DemoTarget[];
  close(): Promise<void>;
}

interface DemoServer {
  close(): Promise<void>;
}

async function startTcp(target: DemoTarget): Promise<DemoServer> {
  const server = createServer((_request, response) => {
    // Without keep-alive each request is a connection of its own, and so a pick of its own.
    response.writeHead(200, { 'content-type': 'text/plain', connection: 'close' });
    response.end(`hello from ${target.name}\n`);
  });
  server.listen(target.port, target.host);
  await once(server, 'listening');
  return {
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function startUdp(target: DemoTarget): Promise<DemoServer> {
  const socket = createSocket(target.host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (message, from) => {
    socket.send(Buffer.concat([Buffer.from(`${target.name}: `), message]), from.port, from.address);
  });
  socket.bind(target.port, target.host);
  await once(socket, 'listening');
  return {
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

/** The loopback targets of `config` that a demo can stand in for, each once per protocol. */
export function demoTargetsOf(config: Config): readonly DemoTarget[] {
  const found = new Map<string, DemoTarget>();
  for (const listener of config.listeners) {
    const pool = config.pools.find((candidate) => candidate.name === listener.pool);
    for (const target of pool?.targets ?? []) {
      if (target.address.kind !== 'ip') continue;
      const host = formatIp(target.address.ip);
      if (!host.startsWith('127.') && host !== '::1') continue;
      const { port } = target.address;
      found.set(`${listener.protocol} ${host} ${port}`, {
        name: target.name,
        protocol: listener.protocol,
        host,
        port,
      });
    }
  }
  return [...found.values()];
}

/** Starts them all or none. Throws SluiceError SLUICE_DEMO_TARGET when an address is taken. */
export async function startDemoTargets(targets: readonly DemoTarget[]): Promise<DemoTargets> {
  const servers: DemoServer[] = [];
  const close = async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  };
  for (const target of targets) {
    try {
      servers.push(await (target.protocol === 'tcp' ? startTcp(target) : startUdp(target)));
    } catch (cause) {
      await close();
      const { name, protocol, host, port } = target;
      const why = systemErrorName(cause) === 'EADDRINUSE' ? 'is taken' : String(cause);
      const message = `demo target ${name}: ${protocol} ${host}:${port} ${why}`;
      throw new SluiceError('SLUICE_DEMO_TARGET', message, { cause });
    }
  }
  return { targets, close };
}
