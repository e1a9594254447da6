// Targets that send back what they get, over TCP and UDP, on a port of the kernel's choice.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export interface EchoTarget {
  readonly port: number;
  /** Connections accepted, or distinct senders seen, since the start. */
  readonly accepted: () => number;
  readonly open: () => number;
  readonly bytesReceived: () => number;
  close(): Promise<void>;
}

export interface EchoOptions {
  readonly host?: string;
  readonly port?: number;
  /** Sent to each client first, to tell targets apart. */
  readonly greeting?: string;
  /** UDP: whether a datagram is answered at all. */
  readonly answers?: (message: Buffer) => boolean;
}

export async function startTcpEcho(options: EchoOptions = {}): Promise<EchoTarget> {
  const { host = '127.0.0.1', port = 0, greeting = '' } = options;
  const sockets = new Set<Socket>();
  let accepted = 0;
  let bytes = 0;
  // A half-closed client still gets its echo.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that resets is no failure of the echo.
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      bytes += data.length;
    });
    if (greeting !== '') socket.write(greeting);
    socket.pipe(socket);
  });
  server.listen({ port, host, backlog: 4096 });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    open: () => sockets.size,
    bytesReceived: () => bytes,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

export async function startUdpEcho(options: EchoOptions = {}): Promise<EchoTarget> {
  const { host = '127.0.0.1', port = 0, answers = () => true } = options;
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const senders = new Set<string>();
  let bytes = 0;
  socket.on('message', (message, from) => {
    senders.add(`${from.address} ${from.port}`);
    bytes += message.length;
    if (answers(message)) socket.send(message, from.port, from.address);
  });
  // ICMP errors of clients that are gone.
  socket.on('error', () => undefined);
  socket.bind(port, host);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    accepted: () => senders.size,
    open: () => senders.size,
    bytesReceived: () => bytes,
    async close() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}
