// A target: one address in a pool; and the rule that joins health with the operator's wish.
import type { TargetAddress } from './address.js';

export interface Target {
  /** Unique in its pool; its identity for hashing. Defaults to the address as written. */
  readonly name: string;
  readonly address: TargetAddress;
  /** 0..65535; 0 = takes no new connection. */
  readonly weight: number;
  /** 0..15; lower is asked first. Means nothing for a backup. */
  readonly priority: number;
  /** Picked only when no other target can be. */
  readonly backup: boolean;
  /** Over all workers; 0 = no limit. */
  readonly maxConnections: number;
}

/** The verdict of health checking. `unknown` until the first verdict. */
export type Health = 'healthy' | 'unhealthy' | 'unknown';

/** What a target says it is, where its protocol knows the difference. */
export type Role = 'primary' | 'replica';

/** The operator's wish. */
export type AdminState = 'enabled' | 'draining' | 'disabled';

/** What is known and wished of a target. */
export interface Standing {
  readonly health: Health;
  readonly adminState: AdminState;
  readonly ejected: boolean;
  readonly weight: number;
}

/** May a new connection go to such a target? `unknown` may: it is up until shown down. */
export function eligible({ health, adminState, ejected, weight }: Standing): boolean {
  return health !== 'unhealthy' && adminState === 'enabled' && !ejected && weight > 0;
}
