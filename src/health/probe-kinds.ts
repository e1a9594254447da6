// The list of all probe kinds. A new kind is one file that makes a Probe, one line here, and its
// word in model/pool.
import type { Clock } from '../clock.js';
import type { ProbeKind } from '../model/pool.js';
import { createPingProbe } from './ping-probe.js';
import type { Ping, Probe } from './probe.js';
import { createTcpProbe } from './tcp-probe.js';

/** What probes are made from. */
export interface ProbeTools {
  readonly clock: Clock;
  readonly ping: Ping;
}

export type ActiveProbeKind = Exclude<ProbeKind, 'none'>;
export type Probes = Readonly<Record<ActiveProbeKind, Probe>>;

export function createProbes(tools: ProbeTools): Probes {
  return {
    tcp: createTcpProbe(tools),
    ping: createPingProbe(tools),
  };
}
