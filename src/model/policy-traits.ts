// What each policy heeds, made from native/policy/policies.txt by
// scripts/generate-policies.mjs: change that.

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
} as const;
