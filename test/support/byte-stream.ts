// Streams of pseudo-random bytes for byte-exact tests: written in pieces and with stalls that a
// seed chooses, and read with stalls too; both ends hash what passed.
import { createCipheriv, createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Draw } from './seed.js';

export interface StreamSummary {
  readonly bytes: number;
  readonly sha256: string;
}

/** How a stream is written or read: `stallOneIn` 0 never stalls. */
export interface Pace {
  readonly draw: Draw;
  readonly stallOneIn: number;
  readonly stallMsMax: number;
}

/** The bytes that `seed` stands for, piece by piece. */
export function byteSource(seed: number): (bytes: number) => Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed >>> 0);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  return (bytes) => cipher.update(Buffer.alloc(bytes));
}

/** What a receiver must have when `prefix` and then `bytes` bytes of `seed` were sent. */
export function summaryOf(seed: number, bytes: number, prefix = ''): StreamSummary {
  const hash = createHash('sha256').update(prefix).update(byteSource(seed)(bytes));
  return { bytes: bytes + Buffer.byteLength(prefix), sha256: hash.digest('hex') };
}

/** Writes `bytes` bytes of `seed` and resolves when the last is handed to the socket. */
export function sendStream(
  socket: Socket,
  seed: number,
  bytes: number,
  { draw, stallOneIn, stallMsMax }: Pace,
): Promise<StreamSummary> {
  const source = byteSource(seed);
  const hash = createHash('sha256');
  let left = bytes;
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    const step = () => {
      while (left > 0) {
        // Crumbs and large pieces, so that copying and streaming take turns.
        const limit = draw(3) === 0 ? 512 : 256 * 1024;
        const piece = source(Math.min(left, 1 + draw(limit)));
        hash.update(piece);
        left -= piece.length;
        const room = socket.write(piece);
        if (stallOneIn > 0 && draw(stallOneIn) === 0) {
          setTimeout(step, draw(stallMsMax));
          return;
        }
        if (!room) {
          socket.once('drain', step);
          return;
        }
      }
      socket.off('error', reject);
      resolve({ bytes, sha256: hash.digest('hex') });
    };
    step();
  });
}

/** Reads to the end of the stream; rejects when it ends in an error. */
export async function receiveStream(
  socket: Socket,
  { draw, stallOneIn, stallMsMax }: Pace,
): Promise<StreamSummary> {
  const hash = createHash('sha256');
  let bytes = 0;
  socket.on('data', (piece: Buffer) => {
    hash.update(piece);
    bytes += piece.length;
    if (stallOneIn === 0 || draw(stallOneIn) !== 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), draw(stallMsMax));
  });
  await once(socket, 'end');
  return { bytes, sha256: hash.digest('hex') };
}
