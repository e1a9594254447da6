// Many clients that stream at once with bounded bytes in flight: each asks its target for a chunk,
// asks for the next when it has all of it. Chunks are large enough to be spliced.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { waitFor } from './wait-for.js';

export const chunkBytes = 128 * 1024;

export interface ChunkTarget {
  readonly port: number;
  readonly open: () => number;
}

/** Answers each byte with a chunk. */
export async function startChunkTarget(): Promise<ChunkTarget> {
  const chunk = Buffer.alloc(chunkBytes, 'chunk');
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (asked) => {
      for (let count = 0; count < asked.length; count++) socket.write(chunk);
    });
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, open: () => sockets.size };
}

export interface StreamClients {
  /** Chunks that all clients together have received. */
  chunks(): number;
  /** Chunks of the client that has the fewest. */
  fewest(): number;
  readonly failures: readonly string[];
  /** Connects so many more, then all stream. */
  add(count: number): Promise<void>;
  close(): void;
}

interface Client {
  readonly socket: Socket;
  chunks: number;
  /** Chunks to ask for once all are connected. */
  owed: number;
  left: number;
}

/** `depth`: chunks that each client has in flight. */
export function streamClients(port: number, target: ChunkTarget, depth = 1): StreamClients {
  const clients: Client[] = [];
  const failures: string[] = [];
  let chunks = 0;
  let connecting = false;
  let closing = false;

  function ask(client: Client): void {
    if (connecting) client.owed++;
    else client.socket.write('?');
  }

  async function addOne(): Promise<void> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const client: Client = { socket, chunks: 0, owed: depth, left: chunkBytes };
    clients.push(client);
    socket.on('error', (error) => failures.push(String(error)));
    socket.on('close', () => {
      if (!closing) failures.push('a client was closed');
    });
    socket.on('data', (data) => {
      for (client.left -= data.length; client.left <= 0; client.left += chunkBytes) {
        chunks++;
        client.chunks++;
        ask(client);
      }
    });
    await once(socket, 'connect');
  }

  function close(): void {
    closing = true;
    for (const { socket } of clients) socket.destroy();
  }
  onTestFinished(close);
  return {
    chunks: () => chunks,
    fewest: () => Math.min(...clients.map((client) => client.chunks)),
    failures,
    async add(count) {
      // Node accepts one connection per turn of its loop: those that stream would starve the new.
      connecting = true;
      // Not all at once: the backlog of the listener has an end.
      for (let left = count; left > 0; left -= 100) {
        await Promise.all(Array.from({ length: Math.min(left, 100) }, addOne));
      }
      await waitFor('the target', () => target.open() === clients.length, { timeoutMs: 20_000 });
      connecting = false;
      for (const client of clients) {
        client.socket.write('?'.repeat(client.owed));
        client.owed = 0;
      }
    },
    close,
  };
}
