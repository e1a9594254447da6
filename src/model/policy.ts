// Policies: how a pool picks. The YAML word, the native file and the test share the name. Which
// there are, and what they heed, is in native/policy/policies.txt.
import { policyTraits } from './policy-traits.js';

/** What a policy heeds. A setting that it does not is an error of the configuration. */
export interface PolicyTraits {
  readonly weights: boolean;
  /** Decides by a key: any that can be set, or always by the client's address. */
  readonly key: 'any' | 'source' | 'none';
  /** Counts load, so that `load` says of what: always, or only under a bounded_load. */
  readonly load: 'always' | 'bounded' | 'never';
}

export type PolicyName = keyof typeof policyTraits;

export const policyNames = Object.keys(policyTraits) as readonly PolicyName[];

export function traitsOf(name: PolicyName): PolicyTraits {
  return policyTraits[name];
}

/** What a keyed policy decides by. */
export const policyKeys = ['source', 'source_port', 'destination'] as const;

export type PolicyKey = (typeof policyKeys)[number];

export const loadKinds = ['connections', 'turns'] as const;

/** What a policy that counts load counts. */
export type LoadKind = (typeof loadKinds)[number];

/** Policies that always count load. */
export const loadPolicies: readonly PolicyName[] = policyNames.filter(
  (name) => traitsOf(name).load === 'always',
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
