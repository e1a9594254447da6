// The admin API's socket: a TCP port or a unix socket, with bounds on what a client may hold.
import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { SluiceError } from '../errors.js';
import type { AdminConfig } from '../model/config.js';
import type { AdminSource } from './admin-source.js';
import type { AdminReach } from './guard.js';
import { adminRoutes } from './routes.js';

export interface AdminServer {
  /** As a person would type it: `http://127.0.0.1:9090` or `unix:/run/sluice/admin.sock`. */
  readonly address: string;
  close(): Promise<void>;
}

type AdminAddress = NonNullable<AdminConfig['listen']>;

// An operator's tools are few: what is beyond this is a leak or an attack.
const usualBounds = {
  connectionsMax: 256,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  /** From look to look at who has had his time. Node's own 30 s would make both times longer. */
  checkMs: 1000,
};

const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * Starts listening. A unix socket is made with mode 0600. Throws SluiceError SLUICE_ADMIN_LISTEN
 * when the address cannot be had.
 */
export async function startAdminServer(
  listen: AdminAddress,
  source: AdminSource,
  bounds: Partial<typeof usualBounds> = {},
): Promise<AdminServer> {
  const { connectionsMax, headersTimeoutMs, requestTimeoutMs, checkMs } = {
    ...usualBounds,
    ...bounds,
  };
  const routes = adminRoutes(source, reachOf(listen));
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: checkMs,
    },
    getRequestListener(routes.fetch),
  );
  server.maxConnections = connectionsMax;
  const shown = 'path' in listen ? `unix:${listen.path}` : `${listen.host}:${listen.port}`;
  try {
    if ('path' in listen) await listenOnPath(server, listen.path);
    else server.listen(listen);
    await once(server, 'listening');
  } catch (cause) {
    server.close();
    const inUse = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    const why = inUse ? 'another program listens there' : String((cause as Error).message);
    throw new SluiceError('SLUICE_ADMIN_LISTEN', `admin.listen ${shown}: ${why}`, { cause });
  }
  return {
    address: 'path' in listen ? shown : urlOf(server.address() as AddressInfo),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function reachOf(listen: AdminAddress): AdminReach {
  if ('path' in listen) return 'unix';
  return loopback.test(listen.host) ? 'loopback' : 'network';
}

/** Replaces the file of a socket whose owner is gone; the mode is 0600 from the first moment. */
async function listenOnPath(server: Server, path: string): Promise<void> {
  if (await isStaleSocket(path)) await unlink(path);
  const previous = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(previous);
  }
}

async function isStaleSocket(path: string): Promise<boolean> {
  // Connecting to a file that is no socket is refused too, and such a file is somebody's data.
  const stats = await lstat(path).catch(() => null);
  if (!stats?.isSocket()) return false;
  const probe = connect({ path });
  try {
    await once(probe, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    probe.destroy();
  }
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
