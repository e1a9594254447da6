// Policies: how a pool picks. The YAML word, the native file and the test share the name.

/** What a policy heeds. A setting that it does not is an error of the configuration. */
interface PolicyTraits {
  readonly weights: boolean;
  /** Decides by a key: any that can be set, or always by the client's address. */
  readonly key: 'any' | 'source' | 'none';
  /** Counts load, so that `load` says of what: always, or only under a bounded_load. */
  readonly load: 'always' | 'bounded' | 'never';
}

/** One line for each; native has the same list in native/policy/policies.h. */
export const policyTraits = {
  round_robin: { weights: false, key: 'none', load: 'never' },
  weighted_round_robin: { weights: true, key: 'none', load: 'never' },
  least_connections: { weights: true, key: 'none', load: 'always' },
  least_response_time: { weights: true, key: 'none', load: 'always' },
  least_bandwidth: { weights: true, key: 'none', load: 'never' },
  random: { weights: true, key: 'none', load: 'never' },
  power_of_two: { weights: true, key: 'none', load: 'always' },
  hot_cold: { weights: true, key: 'none', load: 'always' },
  first: { weights: false, key: 'none', load: 'never' },
  source_hash: { weights: true, key: 'source', load: 'bounded' },
  ring_hash: { weights: true, key: 'any', load: 'bounded' },
  maglev: { weights: true, key: 'any', load: 'bounded' },
} as const satisfies Record<string, PolicyTraits>;

export type PolicyName = keyof typeof policyTraits;

export const policyNames = Object.keys(policyTraits) as readonly PolicyName[];

/** What a keyed policy decides by. */
export const policyKeys = ['source', 'source_port', 'destination'] as const;

export type PolicyKey = (typeof policyKeys)[number];

export const loadKinds = ['connections', 'turns'] as const;

/** What a policy that counts load counts. */
export type LoadKind = (typeof loadKinds)[number];

/** Policies that always count load. */
export const loadPolicies: readonly PolicyName[] = policyNames.filter(
  (name) => policyTraits[name].load === 'always',
);

export interface Policy {
  readonly name: PolicyName;
  readonly key: PolicyKey;
  /** Leading bits of the client's address that count in a key (defaults 32 and 128). */
  readonly prefixV4: number;
  readonly prefixV6: number;
  /** Open connections, or those that wait for the target's answer. */
  readonly load: LoadKind;
  /** Keyed policies: percent of the mean load that a target may have; 0 = no bound. */
  readonly boundedLoad: number;
}
