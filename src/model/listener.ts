// A listener: address and protocol where clients arrive, and the pool that serves them.
import type { Endpoint } from './address.js';

export type Protocol = 'tcp' | 'udp';

/** All in milliseconds; 0 means no limit (never for connectMs). */
export interface Timeouts {
  readonly connectMs: number;
  readonly idleMs: number;
  readonly halfCloseMs: number;
  readonly lifetimeMs: number;
}

/** Socket options of one side of a connection. 0 leaves the kernel's default. */
export interface TcpOptions {
  readonly nodelay: boolean;
  readonly userTimeoutMs: number;
  readonly keepaliveIdleS: number;
  readonly keepaliveIntervalS: number;
  readonly keepaliveCount: number;
}

export interface UdpOptions {
  /** Datagrams to the target per session, the next one opens another; 0 = no bound. */
  readonly requests: number;
  /** Answers per request, after which a session ends (nginx's proxy_responses); 0 = no bound. */
  readonly responses: number;
  /** Sessions of this listener on one worker; at the bound new clients are dropped and counted. */
  readonly sessionsMax: number;
  /** GRO: for listeners that carry streams of large datagrams. GSO is used in any case. */
  readonly bulk: boolean;
}

export interface Listener {
  readonly name: string;
  readonly protocol: Protocol;
  /** Port ranges expanded; several addresses allowed. `::` is every address, IPv4 included. */
  readonly binds: readonly Endpoint[];
  /** IPV6_V6ONLY on the IPv6 binds: `::` leaves IPv4 alone. */
  readonly ipv6Only: boolean;
  readonly pool: string;
  readonly timeouts: Timeouts;
  readonly backlog: number;
  /** Over all workers; 0 = no limit. At the limit accepting pauses: clients wait in the backlog. */
  readonly maxConnections: number;
  readonly tcp: TcpOptions;
  readonly udp: UdpOptions;
  /** Permission bits of a unix socket's file. */
  readonly unixMode: number;
  readonly accessLog: boolean;
  /** TCP: kept of a client's first bytes, in whole KiB; 0: who ends unheard is not replaced. */
  readonly replayBytes: number;
}
