// Stickiness: a client goes where it went before, by a table of clients in the engine.

/** What a client is known by. */
export type StickyKey = 'source';
/** The target is unhealthy, disabled, not to be reached, or at its max_connections. */
export type StickyWhenDown = 'repick' | 'refuse';
/** The target is draining, or of weight 0. */
export type StickyWhenDraining = 'stay' | 'repick';

export interface Sticky {
  readonly by: StickyKey;
  /** Leading bits of the client's address that count. */
  readonly prefixV4: number;
  readonly prefixV6: number;
  /** From the last connection or session that was opened on. */
  readonly expireMs: number;
  /** Clients remembered at once, over all workers. */
  readonly capacity: number;
  readonly whenDown: StickyWhenDown;
  readonly whenDraining: StickyWhenDraining;
}
