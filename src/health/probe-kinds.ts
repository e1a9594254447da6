// The list of all probe kinds. A new kind is one file that makes a Probe, one line here, its
// sections in model/health-check, and its schema in config/health-sections.
import type { Clock } from '../clock.js';
import type { Logger } from '../log/logger.js';
import type { ProbeResult } from '../model/health.js';
import type { ActiveProbeKind } from '../model/health-check.js';
import { createDnsProbe } from './dns-probe.js';
import { createExecProbe } from './exec-probe.js';
import { createGrpcProbe } from './grpc-probe.js';
import { createHttpProbe, createHttpsProbe } from './http-probe.js';
import { Logins } from './logins.js';
import { createMemcachedProbe } from './memcached-probe.js';
import { createMysqlProbe } from './mysql-probe.js';
import { createPingProbe } from './ping-probe.js';
import { createPostgresqlProbe } from './postgresql-probe.js';
import type { Ping, Probe, ProbeRequest } from './probe.js';
import { createRedisProbe } from './redis-probe.js';
import { createSendExpectProbe } from './send-expect-probe.js';
import { createTcpProbe } from './tcp-probe.js';
import { createTlsProbe } from './tls-probe.js';
import { createTrust } from './tls-socket.js';
import { createUdpProbe } from './udp-probe.js';

/** What probes are made from. */
export interface ProbeTools {
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1). */
  readonly random: () => number;
  readonly ping: Ping;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Nothing that probes have started outlives it. */
  readonly stop: AbortSignal;
}

export type Probes = { readonly [Kind in ActiveProbeKind]: Probe<Kind> };

export function createProbes(tools: ProbeTools): Probes {
  const secure = { ...tools, trust: createTrust() };
  const database = { ...tools, logins: new Logins(tools.log) };
  return {
    tcp: createTcpProbe(tools),
    ping: createPingProbe(tools),
    tls: createTlsProbe(secure),
    http: createHttpProbe(secure),
    https: createHttpsProbe(secure),
    send_expect: createSendExpectProbe(secure),
    memcached: createMemcachedProbe(tools),
    dns: createDnsProbe(tools),
    udp: createUdpProbe(tools),
    grpc: createGrpcProbe(secure),
    exec: createExecProbe(tools),
    redis: createRedisProbe(database),
    postgresql: createPostgresqlProbe(database),
    mysql: createMysqlProbe(database),
  };
}

/** The probe that the check of `request` is of; `kind` is the check's. */
export function startProbe<Kind extends ActiveProbeKind>(
  probes: Probes,
  kind: Kind,
  request: ProbeRequest<Kind>,
): Promise<ProbeResult> {
  return probes[kind](request);
}
