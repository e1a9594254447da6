// A TCP peer that does exactly what a script says: read so much, write this, close, reset, hold
// still. As a target it plays the script for every connection; as a client it plays it once.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type Step =
  | { readonly read: number }
  | { readonly readToEnd: true }
  | { readonly write: Uint8Array | string }
  /** FIN; the other direction stays open. */
  | { readonly end: true }
  | { readonly reset: true }
  /** Neither reads nor writes until the promise settles. */
  | { readonly until: Promise<unknown> };

export interface ScriptResult {
  /** Everything read, in order. */
  readonly received: Buffer;
  /** How the other side ended, as far as the script saw it. */
  readonly ended: 'open' | 'fin' | 'reset';
}

/** Plays `steps` over a connected socket. A reset by the other side ends the script early. */
export async function playScript(socket: Socket, steps: readonly Step[]): Promise<ScriptResult> {
  const chunks: Buffer[] = [];
  // In an object: callbacks change it while a step is awaited.
  const state: { ended: ScriptResult['ended'] } = {
    // An earlier script over the same socket may have met its end.
    ended: socket.errored ? 'reset' : socket.readableEnded ? 'fin' : 'open',
  };
  socket.once('error', () => {
    state.ended = 'reset';
  });
  socket.once('end', () => {
    state.ended = 'fin';
  });

  /** The next change of any kind: bytes, the end, an error. */
  async function changed(): Promise<void> {
    if (state.ended !== 'open' || socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const names = ['readable', 'end', 'close'] as const;
      const settle = () => {
        for (const name of names) socket.off(name, settle);
        resolve();
      };
      for (const name of names) socket.on(name, settle);
    });
  }

  async function read(wanted: number): Promise<void> {
    let left = wanted;
    while (left > 0 && state.ended === 'open' && !socket.destroyed) {
      const size = Math.min(left, Math.max(socket.readableLength, 1));
      const chunk = socket.read(size) as Buffer | null;
      if (chunk === null) {
        await changed();
        continue;
      }
      chunks.push(chunk);
      left -= chunk.length;
    }
  }

  async function play(step: Step): Promise<void> {
    if ('read' in step) await read(step.read);
    else if ('readToEnd' in step) await read(Number.POSITIVE_INFINITY);
    else if ('write' in step) {
      // Also called, with an error, when the socket is reset meanwhile.
      await new Promise((resolve) => socket.write(step.write, resolve));
    } else if ('end' in step) socket.end();
    else if ('reset' in step) socket.resetAndDestroy();
    else await step.until;
  }

  for (const step of steps) {
    if (state.ended === 'reset') break;
    await play(step);
  }
  return { received: Buffer.concat(chunks), ended: state.ended };
}

export interface ScriptedPeer {
  readonly port: number;
  /** One result per connection, in the order in which they were accepted. */
  readonly results: readonly Promise<ScriptResult>[];
  close(): Promise<void>;
}

export async function startScriptedPeer(
  steps: readonly Step[],
  { host = '127.0.0.1', port = 0 } = {},
): Promise<ScriptedPeer> {
  const sockets = new Set<Socket>();
  const results: Promise<ScriptResult>[] = [];
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    results.push(playScript(socket, steps));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    results,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Connects to `port`, plays the script once, and leaves the socket to the caller. */
export async function connectScripted(
  port: number,
  host = '127.0.0.1',
): Promise<{ readonly socket: Socket; play(steps: readonly Step[]): Promise<ScriptResult> }> {
  const socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  return { socket, play: (steps) => playScript(socket, steps) };
}
