// Policies: how a pool picks. The YAML word, the native file and the test share the name.

export const policyNames = [
  'round_robin',
  'weighted_round_robin',
  'least_connections',
  'random',
  'power_of_two',
  'source_hash',
] as const;

export type PolicyName = (typeof policyNames)[number];

export const loadKinds = ['connections', 'turns'] as const;

/** What a policy that counts load counts. */
export type LoadKind = (typeof loadKinds)[number];

/** Policies that count load; `load` means nothing to the others. */
export const loadPolicies: readonly PolicyName[] = ['least_connections', 'power_of_two'];

export interface Policy {
  readonly name: PolicyName;
  /** source_hash: leading bits of the client's address that count (defaults 32 and 128). */
  readonly prefixV4: number;
  readonly prefixV6: number;
  /** Open connections, or those that wait for the target's answer. */
  readonly load: LoadKind;
}
