// The list of all probe kinds. A new kind is one file that makes a Probe, one line here, its
// sections in model/health-check, and its schema in config/health-schema.
import type { Clock } from '../clock.js';
import type { ProbeResult } from '../model/health.js';
import type { ActiveProbeKind } from '../model/health-check.js';
import { createMemcachedProbe } from './memcached-probe.js';
import { createPingProbe } from './ping-probe.js';
import type { Ping, Probe, ProbeRequest } from './probe.js';
import { createTcpProbe } from './tcp-probe.js';

/** What probes are made from. */
export interface ProbeTools {
  readonly clock: Clock;
  readonly ping: Ping;
}

export type Probes = { readonly [Kind in ActiveProbeKind]: Probe<Kind> };

export function createProbes(tools: ProbeTools): Probes {
  return {
    tcp: createTcpProbe(tools),
    ping: createPingProbe(tools),
    memcached: createMemcachedProbe(tools),
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
