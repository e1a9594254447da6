// Demo targets: small servers inside sluice, so that a first run has something to balance. A TCP
// one answers any HTTP request with its own name, a UDP one echoes a datagram behind its name.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
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
      const host = textOfIp(target.address.ip.bytes);
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

function textOfIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  return bytes.every((byte, index) => byte === (index === 15 ? 1 : 0)) ? '::1' : '';
}

/** Starts them all or none; throws the first error of the system (EADDRINUSE for a taken port). */
export async function startDemoTargets(targets: readonly DemoTarget[]): Promise<DemoTargets> {
  const servers: DemoServer[] = [];
  const close = async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  };
  try {
    for (const target of targets) {
      servers.push(await (target.protocol === 'tcp' ? startTcp(target) : startUdp(target)));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { targets, close };
}
