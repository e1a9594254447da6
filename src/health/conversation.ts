// Conversation: a probe that sends and reads over a stream. A kind is an async function that says
// what it wants to read next; deadline, errors, early ends and bounds are settled here.
import type { Duplex } from 'node:stream';
import type { ProbeResult } from '../model/health.js';
import { badAnswer, type Ending, probeSocket, type SocketRequest } from './probe-socket.js';

/** All that a probe reads, however much a target sends. */
export const answerBytesMax = 64 * 1024;
/** Pieces that it may arrive in: with each one, all before it is looked at again. */
export const answerPiecesMax = 1024;

export interface Conversation {
  send(bytes: Uint8Array | string): void;
  /**
   * Calls `parse` with what has been received and not been taken, now and whenever more arrives,
   * until it returns something else than null; that is the result. `ended`: the target sends no
   * more. A read that cannot be satisfied never settles: the conversation ends the probe instead,
   * as `timed_out`, `reset`, `closed`, or `bad_answer` beyond a bound.
   */
  read<T>(parse: (received: Buffer, ended: boolean) => T | null): Promise<T>;
  /** Drops the first `bytes` of what has been received. */
  take(bytes: number): void;
}

/** Reads up to the next line feed and takes the line; without its end, in Latin-1. */
export async function readLine(conversation: Conversation): Promise<string> {
  const length = await conversation.read((received) => {
    const at = received.indexOf(0x0a);
    return at < 0 ? null : { line: received.toString('latin1', 0, at), bytes: at + 1 };
  });
  conversation.take(length.bytes);
  return length.line.endsWith('\r') ? length.line.slice(0, -1) : length.line;
}

/** One conversation with the target. `talk` says how it ends; it may not throw. */
export function converse(
  request: SocketRequest,
  talk: (conversation: Conversation) => Promise<Ending>,
): Promise<ProbeResult> {
  return probeSocket(request, (socket, end) => {
    void talk(conversationOver(socket, end)).then(end);
  });
}

/** Over a stream that is open; `end` is called when what is read goes wrong. */
export function conversationOver(stream: Duplex, end: (ending: Ending) => void): Conversation {
  let received: Buffer = Buffer.alloc(0);
  let ended = false;
  let bytes = 0;
  let pieces = 0;
  /** Tries the read that waits; at most one does, as `talk` is one sequence. */
  let retry: (() => void) | null = null;

  stream.on('data', (piece: Buffer) => {
    bytes += piece.length;
    pieces++;
    if (bytes > answerBytesMax) return end(badAnswer(`more than ${answerBytesMax} bytes`));
    if (pieces > answerPiecesMax) return end(badAnswer(`more than ${answerPiecesMax} pieces`));
    received = received.length === 0 ? piece : Buffer.concat([received, piece]);
    retry?.();
  });
  stream.on('end', () => {
    ended = true;
    retry?.();
  });

  return {
    send: (data) => void stream.write(data),
    read: <T>(parse: (received: Buffer, ended: boolean) => T | null) =>
      new Promise<T>((resolve) => {
        const attempt = (): void => {
          const result = parse(received, ended);
          if (result !== null) {
            retry = null;
            resolve(result);
          } else if (ended) {
            end({ ok: false, reason: 'closed' });
          } else {
            retry = attempt;
          }
        };
        attempt();
      }),
    take: (count) => {
      received = received.subarray(count);
    },
  };
}
