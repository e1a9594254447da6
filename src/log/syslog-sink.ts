// SyslogSink: lines to a syslog server, over UDP (RFC 5426) or TCP (RFC 6587, counted octets). A
// server that is away or slow costs lines, never anything else.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { closingMs, type LineFacts, type LogOutput, waitingBytesMax } from './log-output.js';
import { type SyslogSender, syslogMessage } from './syslog-message.js';

export interface SyslogOptions {
  /** `syslog://host:port` for UDP, `syslog+tcp://host:port`; the port may be left out. */
  readonly output: string;
  /** Called when lines are lost, once until a connection stands again; at most each minute. */
  readonly onTrouble: (reason: string) => void;
}

/** RFC 5426 and RFC 6587. */
const defaultPorts = { 'syslog:': 514, 'syslog+tcp:': 601 } as const;
/** Of UDP nobody knows when a server is back. */
const troubleEveryMs = 60_000;
const reconnectMs = 1000;

export const isSyslog = (output: string): boolean => /^syslog(\+tcp)?:\/\//.test(output);

interface Carrier {
  send(message: Buffer): void;
  close(): Promise<void>;
}

export function openSyslogSink({ output, onTrouble }: SyslogOptions): LogOutput {
  const url = new URL(output);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const overTcp = url.protocol === 'syslog+tcp:';
  const port = Number(url.port) || defaultPorts[overTcp ? 'syslog+tcp:' : 'syslog:'];
  let toldMs = -troubleEveryMs;
  const trouble = (reason: string): void => {
    const nowMs = performance.now();
    if (nowMs - toldMs < troubleEveryMs) return;
    toldMs = nowMs;
    onTrouble(reason);
  };
  const carrier = overTcp
    ? new TcpCarrier(host, port, trouble)
    : new UdpCarrier(host, port, trouble);
  const sender: SyslogSender = { hostname: hostname(), processId: process.pid };
  return {
    write: (line: string, facts: LineFacts) =>
      carrier.send(syslogMessage(line, facts, sender, new Date())),
    reopen: () => undefined,
    flushNow: () => undefined,
    close: () => carrier.close(),
  };
}

/** One datagram each. A name is looked up once, and again while nobody knows it. */
class UdpCarrier implements Carrier {
  readonly #socket: UdpSocket;
  readonly #trouble: (reason: string) => void;
  /** Until the socket is connected. */
  #waiting: Buffer[] = [];
  /** Of all that the kernel has not taken yet. */
  #waitingBytes = 0;
  #isConnected = false;
  #retry: NodeJS.Timeout | null = null;
  #whenIdle: (() => void) | null = null;
  #closed = false;

  constructor(host: string, port: number, trouble: (reason: string) => void) {
    this.#trouble = trouble;
    this.#socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' });
    this.#socket.unref();
    this.#socket.on('connect', () => {
      this.#isConnected = true;
      for (const message of this.#waiting) this.#transmit(message);
      this.#waiting = [];
    });
    this.#socket.on('error', (error) => {
      trouble(error.message);
      if (this.#isConnected || this.#closed) return;
      this.#retry = setTimeout(() => this.#socket.connect(port, host), reconnectMs);
      this.#retry.unref();
    });
    this.#socket.connect(port, host);
  }

  send(message: Buffer): void {
    if (this.#closed || this.#waitingBytes + message.length > waitingBytesMax) return;
    this.#waitingBytes += message.length;
    if (this.#isConnected) this.#transmit(message);
    else this.#waiting.push(message);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#waitingBytes > 0) {
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, closingMs);
        this.#whenIdle = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    }
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#socket.close();
  }

  #transmit(message: Buffer): void {
    this.#socket.send(message, (error) => {
      this.#waitingBytes -= message.length;
      if (error) this.#trouble(error.message);
      if (this.#waitingBytes === 0) this.#whenIdle?.();
    });
  }
}

/** A connection that is made anew when it has ended. */
class TcpCarrier implements Carrier {
  readonly #host: string;
  readonly #port: number;
  readonly #trouble: (reason: string) => void;
  #socket: Socket;
  #retry: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(host: string, port: number, trouble: (reason: string) => void) {
    this.#host = host;
    this.#port = port;
    this.#trouble = trouble;
    this.#socket = this.#connect();
  }

  send(message: Buffer): void {
    // While it connects, the socket keeps what it is given.
    const { writableLength, writable } = this.#socket;
    if (this.#closed || !writable || writableLength + message.length > waitingBytesMax) return;
    this.#socket.write(Buffer.concat([Buffer.from(`${message.length} `), message]));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.ref();
    // Not once(): that would reject on an error, which comes before a close.
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.end();
    const limit = setTimeout(() => socket.destroy(), closingMs);
    await ended;
    clearTimeout(limit);
  }

  #connect(): Socket {
    const socket = connect(this.#port, this.#host);
    socket.unref();
    // A server that only listens says nothing, and its end is noticed by reading.
    socket.resume();
    socket.on('error', (error) => this.#trouble(error.message));
    socket.on('close', () => {
      if (this.#closed) return;
      this.#trouble('the connection has ended');
      this.#retry = setTimeout(() => {
        this.#socket = this.#connect();
      }, reconnectMs);
      this.#retry.unref();
    });
    return socket;
  }
}
