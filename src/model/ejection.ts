// Ejection: a target that gets no new connections because of how its connections went. A third
// fact beside health and admin state; eligible() joins the three.

export const ejectionReasons = [
  'max_fails',
  'consecutive_failures',
  'failure_rate',
  'latency',
] as const;

export type EjectionReason = (typeof ejectionReasons)[number];

export interface Ejection {
  readonly reason: EjectionReason;
  readonly since: Date;
  readonly until: Date;
}

/** By targetKey; a target without an entry is not ejected. */
export type Ejections = ReadonlyMap<string, Ejection>;
