// Can this address be bound? Tried for real with a socket that is closed at once. Without
// SO_REUSEPORT, so that another owner shows even if it would share.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname } from 'node:path';
import { systemErrorName } from '../errors.js';
import type { Endpoint, IpEndpoint } from '../model/address.js';
import type { Protocol } from '../model/listener.js';
import { formatIp, isWildcard } from './ip.js';

export interface BindTrial {
  readonly outcome: 'free' | 'in_use' | 'denied' | 'failed';
  /** Such as EADDRINUSE; empty when free, or when no system call failed. */
  readonly error: string;
  /** The same for people. */
  readonly detail: string;
}

const free: BindTrial = { outcome: 'free', error: '', detail: '' };
const inUse: BindTrial = { outcome: 'in_use', error: 'EADDRINUSE', detail: 'in use' };

function failed(detail: string, error = ''): BindTrial {
  return { outcome: 'failed', error, detail };
}

export async function tryBind(
  endpoint: Endpoint,
  protocol: Protocol,
  ipv6Only: boolean,
): Promise<BindTrial> {
  if (endpoint.kind === 'unix') {
    return endpoint.path.startsWith('@') ? tryAbstract(endpoint.path) : tryPath(endpoint.path);
  }
  // The option is refused (EINVAL) on IPv4 sockets.
  const only = ipv6Only && endpoint.ip.family === 'ipv6';
  const trial = await tryIp(endpoint, protocol, only);
  const noIpv6 = trial.error === 'EAFNOSUPPORT' || trial.error === 'EADDRNOTAVAIL';
  if (noIpv6 && endpoint.ip.family === 'ipv6' && isWildcard(endpoint.ip) && !ipv6Only) {
    // The engine does the same on a machine without IPv6: every address is every IPv4 address.
    const ip = { family: 'ipv4', bytes: new Uint8Array(4), scopeId: 0 } as const;
    return tryIp({ ...endpoint, ip }, protocol, false);
  }
  return trial;
}

async function tryIp(
  { ip, port }: IpEndpoint,
  protocol: Protocol,
  ipv6Only: boolean,
): Promise<BindTrial> {
  const host = formatIp({ ...ip, scopeId: 0 }) + scopeText(ip.scopeId);
  try {
    if (protocol === 'tcp') {
      const server = createServer();
      server.listen({ host, port, ipv6Only, exclusive: true });
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    } else {
      const socket = createSocket({ type: ip.family === 'ipv4' ? 'udp4' : 'udp6', ipv6Only });
      socket.bind({ address: host, port, exclusive: true });
      await once(socket, 'listening');
      socket.close();
      await once(socket, 'close');
    }
    return free;
  } catch (error) {
    return trialOf(error);
  }
}

/** libuv takes the interface's name, the model keeps its index. */
function scopeText(scopeId: number): string {
  if (scopeId === 0) return '';
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (addresses?.some((one) => one.family === 'IPv6' && one.scopeid === scopeId)) {
      return `%${name}`;
    }
  }
  return `%${scopeId}`;
}

function trialOf(error: unknown): BindTrial {
  const name = systemErrorName(error);
  if (name === 'EADDRINUSE') return inUse;
  if (name === 'EACCES' || name === 'EPERM')
    return { outcome: 'denied', error: name, detail: name };
  if (name === 'EADDRNOTAVAIL') {
    return failed('no interface of this machine has this address', name);
  }
  return failed(name === '' ? String(error) : name, name);
}

async function tryAbstract(path: string): Promise<BindTrial> {
  try {
    const server = createServer();
    server.listen({ path: `\0${path.slice(1)}`, exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return free;
  } catch (error) {
    return trialOf(error);
  }
}

/** Not bound for real: that would leave a file, or take the place of one that is in use. */
async function tryPath(path: string): Promise<BindTrial> {
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    if (systemErrorName(error) === 'ENOENT') {
      return failed(`there is no directory ${dirname(path)}`);
    }
    return trialOf(error);
  }
  const stats = await lstat(path).catch(() => null);
  if (stats === null) return free;
  if (!stats.isSocket()) return failed('a file that is no socket is there');
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
    return inUse;
  } catch (error) {
    const name = systemErrorName(error);
    // Left behind by a process that has ended: the engine replaces it.
    if (name === 'ECONNREFUSED' || name === 'ENOENT') return free;
    return name === 'EAGAIN' || name === 'EPROTOTYPE' ? inUse : trialOf(error);
  } finally {
    socket.destroy();
  }
}
