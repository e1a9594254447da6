// Probe: what every probe kind is.
import type { Endpoint, IpAddress } from '../model/address.js';
import type { ProbeResult } from '../model/health.js';
import type { ActiveProbeKind, CheckOf } from '../model/health-check.js';

/** What is asked of whom. Where a probe goes comes from here alone, never from an answer. */
export interface ProbeRequest<Kind extends ActiveProbeKind = ActiveProbeKind> {
  readonly pool: string;
  /** The target's name. */
  readonly target: string;
  /** With the check's own port, where it has one. */
  readonly endpoint: Endpoint;
  /** The target as the file names it, without a port: for protocols that say whom they ask. */
  readonly host: string;
  readonly check: CheckOf<Kind>;
  readonly timeoutMs: number;
}

/** One try. Resolves within `timeoutMs`, give or take a turn of the event loop; never rejects. */
export type Probe<Kind extends ActiveProbeKind> = (
  request: ProbeRequest<Kind>,
) => Promise<ProbeResult>;

/** Sends one ICMP echo. The engine's own, handed in: this room does not know the engine. */
export type Ping = (
  address: IpAddress,
  timeoutMs: number,
) => Promise<{
  readonly outcome: 'answered' | 'unreachable' | 'not_permitted' | 'failed' | 'timed_out';
  readonly latencyMs: number;
}>;
