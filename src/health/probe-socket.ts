// ProbeSocket: the life of a probe that speaks over a stream. It connects, keeps the deadline,
// turns what goes wrong into a reason, and closes with a reset, which leaves neither side a socket
// in TIME_WAIT (thousands of probes a second would use up the source ports).
import { type NetConnectOpts, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../clock.js';
import type { Endpoint, IpAddress } from '../model/address.js';
import { formatIp } from '../model/address-text.js';
import type { ProbeFacts, ProbeReason, ProbeResult } from '../model/health.js';

const reasonByCode: Readonly<Record<string, ProbeReason>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETDOWN: 'unreachable',
  ETIMEDOUT: 'timed_out',
  ENOENT: 'not_found',
  EACCES: 'permission_denied',
  // A unix socket whose backlog is full says so at once: as good as no answer.
  EAGAIN: 'timed_out',
  EMFILE: 'local',
  ENFILE: 'local',
  ENOBUFS: 'local',
  ENOMEM: 'local',
  EADDRNOTAVAIL: 'local',
  // A rule of this machine's own firewall.
  EPERM: 'local',
};

export function reasonOf(error: NodeJS.ErrnoException): ProbeReason {
  return reasonByCode[error.code ?? ''] ?? 'failed';
}

/** How a probe ends; the latency is added here. */
export interface Ending {
  readonly ok: boolean;
  readonly reason: ProbeReason;
  readonly facts?: ProbeFacts;
}

/** A bad answer, with a word about it for people. */
export function badAnswer(detail: string): Ending {
  return { ok: false, reason: 'bad_answer', facts: { detail } };
}

/** Ends the probe. Only the first call counts. */
export type End = (ending: Ending) => void;

export interface SocketRequest {
  readonly clock: Clock;
  readonly endpoint: Endpoint;
  readonly timeoutMs: number;
}

/**
 * `use` gets the socket once it is connected and ends the probe whenever it knows enough; nothing
 * that happens to the socket after that reaches it. Until it does, the deadline and every error of
 * the socket end the probe by themselves. `use` must read the socket and mind its end.
 */
export function probeSocket(
  { clock, endpoint, timeoutMs }: SocketRequest,
  use: (socket: Socket, end: End) => void,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const startedMs = clock.nowMs();
    const socket = new Socket();
    let settled = false;
    let connected = false;

    const end: End = (ending) => {
      if (settled) return;
      settled = true;
      timer.cancel();
      resolve({ ...ending, latencyMs: clock.nowMs() - startedMs });
      // A socket that still connects would wait for its connection before it resets it.
      if (connected && endpoint.kind === 'ip') socket.resetAndDestroy();
      else socket.destroy();
    };

    // When the event loop stood still the timer fires before the kernel has been asked, so one
    // more turn is given: a result that already waits there counts, not the timer.
    const timer = clock.after(timeoutMs, () => {
      setImmediate(() => end({ ok: false, reason: 'timed_out' }));
    });
    // Stays attached: an error after the end must find a listener, or the process ends.
    socket.on('error', (error) => end({ ok: false, reason: reasonOf(error) }));
    socket.on('connect', () => {
      connected = true;
      if (isSelfConnection(socket)) end({ ok: false, reason: 'refused' });
      else if (!settled) use(socket, end);
    });
    try {
      socket.connect(connectOptions(endpoint));
    } catch {
      end({ ok: false, reason: 'failed' });
    }
  });
}

/**
 * Connecting to a local port in the ephemeral range where nobody listens, the kernel may choose
 * that very port as the source, and TCP then connects the socket to itself. Nobody is there.
 */
export function isSelfConnection(
  socket: Pick<Socket, 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'>,
): boolean {
  return (
    socket.localPort !== undefined &&
    socket.localPort === socket.remotePort &&
    socket.localAddress === socket.remoteAddress
  );
}

function connectOptions(endpoint: Endpoint): NetConnectOpts {
  if (endpoint.kind === 'ip') return { host: hostOf(endpoint.ip), port: endpoint.port };
  const { path } = endpoint;
  return { path: path.startsWith('@') ? `\0${path.slice(1)}` : path };
}

/** Node wants the scope of a link-local address as the interface's name. */
export function hostOf(ip: IpAddress): string {
  if (ip.scopeId === 0) return formatIp(ip);
  const bare = formatIp({ ...ip, scopeId: 0 });
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some(({ scopeid }) => scopeid === ip.scopeId)) return `${bare}%${name}`;
  }
  return bare;
}
