// The tcp probe: connect to the target, then close with a reset, which leaves neither side a socket
// in TIME_WAIT (thousands of probes a second would use up the source ports).
import { type NetConnectOpts, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../clock.js';
import type { Endpoint, IpAddress } from '../model/address.js';
import { formatIp } from '../model/address-text.js';
import type { ProbeReason, ProbeResult } from '../model/health.js';
import type { Probe } from './probe.js';

const reasonByCode: Readonly<Record<string, ProbeReason>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
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

export function createTcpProbe({ clock }: { readonly clock: Clock }): Probe {
  return (endpoint, timeoutMs) =>
    new Promise((resolve) => {
      const startedMs = clock.nowMs();
      const socket = new Socket();
      let settled = false;

      const settle = (ok: boolean, reason: ProbeReason): void => {
        if (settled) return;
        settled = true;
        timer.cancel();
        resolve({ ok, reason, latencyMs: clock.nowMs() - startedMs } satisfies ProbeResult);
        if (ok && endpoint.kind === 'ip') socket.resetAndDestroy();
        else socket.destroy();
      };

      // When the event loop stood still the timer fires before the kernel has been asked, so one
      // more turn is given: a result that already waits there counts, not the timer.
      const timer = clock.after(timeoutMs, () => {
        setImmediate(() => settle(false, 'timed_out'));
      });
      // Stays attached: an error after the end must find a listener, or the process ends.
      socket.on('error', (error: NodeJS.ErrnoException) => {
        settle(false, reasonByCode[error.code ?? ''] ?? 'failed');
      });
      socket.on('connect', () => {
        if (isSelfConnection(socket)) settle(false, 'refused');
        else settle(true, 'connected');
      });
      try {
        socket.connect(connectOptions(endpoint));
      } catch {
        settle(false, 'failed');
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
function hostOf(ip: IpAddress): string {
  if (ip.scopeId === 0) return formatIp(ip);
  const bare = formatIp({ ...ip, scopeId: 0 });
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some(({ scopeid }) => scopeid === ip.scopeId)) return `${bare}%${name}`;
  }
  return bare;
}
