// Placement: what the table in force says of listeners, pools and targets in a few words, and where
// their counters are in the engine. For those who look at all of them every second.
import type { Protocol } from './listener.js';
import type { PolicyName } from './policy.js';

/** How a target stands, the graver the later: what wins in a step of time that saw several. */
export const standings = [
  'unknown',
  'healthy',
  'draining',
  'disabled',
  'ejected',
  'unhealthy',
] as const;
export type TargetStanding = (typeof standings)[number];

export interface PlacedListener {
  readonly name: string;
  readonly slot: number;
  readonly protocol: Protocol;
  readonly pool: string;
  readonly addresses: readonly string[];
}

export interface PlacedTarget {
  readonly name: string;
  /** As configured. */
  readonly address: string;
  /** null: its name has not been resolved. */
  readonly slot: number | null;
  readonly standing: TargetStanding;
  /** A candidate for new connections. */
  readonly eligible: boolean;
  /** As an agent has changed it. */
  readonly weight: number;
}

export interface PlacedPool {
  readonly name: string;
  readonly policy: PolicyName;
  readonly targets: readonly PlacedTarget[];
}

export interface Placement {
  readonly listeners: readonly PlacedListener[];
  readonly pools: readonly PlacedPool[];
}
