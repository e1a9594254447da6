// DatagramExchange: one datagram to a target, and the answers to it, under a deadline. The socket
// is connected, so that only the target can answer, and its "port unreachable" is heard.
import { createSocket, type Socket } from 'node:dgram';
import type { Clock } from '../clock.js';
import type { IpEndpoint } from '../model/address.js';
import type { ProbeResult } from '../model/health.js';
import { type Ending, hostOf, reasonOf } from './probe-socket.js';

export interface DatagramRequest {
  readonly clock: Clock;
  readonly endpoint: IpEndpoint;
  readonly timeoutMs: number;
  readonly payload: Uint8Array;
  /** What it means when the time is up. */
  readonly silence: Ending;
}

/** Answers that are looked at; whoever sends more of them is not the one that was asked. */
export const answersMax = 64;

/** Node resolves even addresses; these are none of its business. */
const noLookup = (
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void => callback(null, host, host.includes(':') ? 6 : 4);

/** `judge` says how the exchange ends, or null for a datagram that is not the answer. */
export function exchangeDatagrams(
  { clock, endpoint, timeoutMs, payload, silence }: DatagramRequest,
  judge: (answer: Buffer) => Ending | null,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const startedMs = clock.nowMs();
    const type = endpoint.ip.family === 'ipv4' ? 'udp4' : 'udp6';
    const socket: Socket = createSocket({ type, lookup: noLookup });
    let settled = false;
    let answers = 0;
    const end = (ending: Ending): void => {
      if (settled) return;
      settled = true;
      timer.cancel();
      resolve({ ...ending, latencyMs: clock.nowMs() - startedMs });
      socket.close();
    };
    // One more turn, as in probe-socket: an answer that waits in the kernel counts.
    const timer = clock.after(timeoutMs, () => setImmediate(() => end(silence)));
    const failed = (error: NodeJS.ErrnoException | null): void => {
      if (error !== null) end({ ok: false, reason: reasonOf(error) });
    };
    socket.on('error', failed);
    socket.on('message', (answer) => {
      const ending = judge(answer);
      answers++;
      if (ending !== null) end(ending);
      else if (answers >= answersMax) end({ ok: false, reason: 'bad_answer' });
    });
    socket.on('connect', () => {
      if (!settled) socket.send(payload, failed);
    });
    try {
      socket.connect(endpoint.port, hostOf(endpoint.ip));
    } catch {
      end({ ok: false, reason: 'failed' });
    }
  });
}
