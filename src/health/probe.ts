// Probe: what every probe kind is.
import type { Endpoint, IpAddress } from '../model/address.js';
import type { ProbeResult } from '../model/health.js';

/** One try. Resolves within `timeoutMs`, give or take a turn of the event loop; never rejects. */
export type Probe = (endpoint: Endpoint, timeoutMs: number) => Promise<ProbeResult>;

/** Sends one ICMP echo. The engine's own, handed in: this room does not know the engine. */
export type Ping = (
  address: IpAddress,
  timeoutMs: number,
) => Promise<{
  readonly outcome: 'answered' | 'unreachable' | 'not_permitted' | 'failed' | 'timed_out';
  readonly latencyMs: number;
}>;
