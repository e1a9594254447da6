// Lines to a syslog server on real sockets: each arrives whole, and a server that is away costs
// lines only.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSyslogSink } from '../../src/log/syslog-sink.js';
import { freePort } from '../support/real-server.js';
import { waitFor } from '../support/wait-for.js';

const about = { level: 'info', event: 'connection_closed' } as const;
const never = (reason: string) => expect.fail(reason);

/** Takes apart what RFC 6587 calls octet counting. */
function framesOf(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(' ', at);
    const length = Number(bytes.toString('latin1', at, space));
    frames.push(bytes.toString('utf8', space + 1, space + 1 + length));
    at = space + 1 + length;
  }
  return frames;
}

async function tcpServer(port = 0) {
  const sockets: Socket[] = [];
  let received = Buffer.alloc(0);
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  onTestFinished(close);
  return {
    port: (server.address() as AddressInfo).port,
    frames: () => framesOf(received),
    close,
  };
}

describe('syslog over UDP', () => {
  it('sends each line as one datagram, also those that close() finds waiting', async () => {
    const server = createSocket('udp4');
    onTestFinished(() => void server.close());
    const messages: string[] = [];
    server.on('message', (message) => messages.push(message.toString()));
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const sink = openSyslogSink({ output: `syslog://127.0.0.1:${port}`, onTrouble: never });
    for (let index = 0; index < 20; index++) sink.write(`{"n":${index}}\n`, about);
    await sink.close();
    await waitFor('all', () => messages.length === 20);
    expect(messages.map((text) => text.slice(text.indexOf('{')))).toEqual(
      Array.from({ length: 20 }, (_, index) => `{"n":${index}}`),
    );
    expect(messages[0]).toMatch(/^<134>1 \S+ \S+ sluice \d+ connection_closed - /);
  });

  it('tells of a server that is not there once', async () => {
    const troubles: string[] = [];
    const port = await freePort();
    const sink = openSyslogSink({
      output: `syslog://127.0.0.1:${port}`,
      onTrouble: (reason) => troubles.push(reason),
    });
    await waitFor('the refusal', () => {
      sink.write('{}\n', about);
      return troubles.length > 0;
    });
    for (let index = 0; index < 10; index++) sink.write('{}\n', about);
    await sink.close();
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toContain('ECONNREFUSED');
  });
});

describe('a syslog server whose name nobody knows', () => {
  // Too long for a label, so that no name server is asked.
  const host = `${'x'.repeat(64)}.invalid`;

  it.each(['syslog', 'syslog+tcp'])('costs lines and nothing else (%s)', async (scheme) => {
    const troubles: string[] = [];
    const sink = openSyslogSink({
      output: `${scheme}://${host}:514`,
      onTrouble: (reason) => troubles.push(reason),
    });
    sink.write('{}\n', about);
    await waitFor('the trouble', () => troubles.length > 0);
    sink.write('{}\n', about);
    await sink.close();
    expect(troubles).toHaveLength(1);
  });
});

describe('syslog over TCP', () => {
  it('counts the bytes of each message, and delivers what waits at close()', async () => {
    const server = await tcpServer();
    const output = `syslog+tcp://127.0.0.1:${server.port}`;
    const sink = openSyslogSink({ output, onTrouble: never });
    const lines = Array.from({ length: 1000 }, (_, index) => `{"n":${index},"e":"\u00e9"}`);
    for (const line of lines) sink.write(`${line}\n`, about);
    await sink.close();
    await waitFor('all', () => server.frames().length === lines.length);
    expect(server.frames().map((text) => text.slice(text.indexOf('{')))).toEqual(lines);
  });

  it('connects again to a server that is back', async () => {
    const first = await tcpServer();
    const troubles: string[] = [];
    const sink = openSyslogSink({
      output: `syslog+tcp://127.0.0.1:${first.port}`,
      onTrouble: (reason) => troubles.push(reason),
    });
    onTestFinished(() => sink.close());
    sink.write('{"n":1}\n', about);
    await waitFor('the first', () => first.frames().length === 1);
    await first.close();
    await waitFor('the trouble', () => troubles.length > 0);
    const second = await tcpServer(first.port);
    await waitFor('another', () => {
      sink.write('{"n":2}\n', about);
      return second.frames().length > 0;
    });
    expect(second.frames()[0]).toContain('{"n":2}');
  });

  it('gives up within a second on a server that reads nothing', async () => {
    const server = createServer((socket) => {
      socket.pause();
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const sink = openSyslogSink({ output: `syslog+tcp://127.0.0.1:${port}`, onTrouble: () => 0 });
    const line = `{"x":"${'y'.repeat(8000)}"}\n`;
    // Far more than kernel and sink hold together; what is beyond the bound is dropped.
    for (let index = 0; index < 5000; index++) sink.write(line, about);
    await sink.close();
    expect(process.memoryUsage().external).toBeLessThan(256 * 1024 * 1024);
  });
});
