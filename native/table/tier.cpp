// Builds the policy that a pool's config names over the tier's candidates.
#include "table/tier.h"

#include <algorithm>

namespace sluice::table {

bool is_keyed(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::source_hash:
      return true;
    case PolicyKind::round_robin:
    case PolicyKind::weighted_round_robin:
    case PolicyKind::least_connections:
    case PolicyKind::random:
    case PolicyKind::power_of_two:
      return false;
  }
  return false;  // not a PolicyKind: the builder has refused it
}

Tier::Tier(PolicyKind kind, std::vector<policy::Candidate> candidates, TierRank rank)
    : candidates_(std::move(candidates)),
      share_(rank.share),
      limited_(std::any_of(candidates_.begin(), candidates_.end(),
                           [](const policy::Candidate& c) { return c.max_connections != 0; })),
      policy_(build(kind, candidates_, rank.configured)) {}

Tier::Policy Tier::build(PolicyKind kind, std::span<const policy::Candidate> candidates,
                         uint32_t configured) {
  switch (kind) {
    case PolicyKind::round_robin:
      return policy::RoundRobin(candidates);
    case PolicyKind::weighted_round_robin:
      return policy::WeightedRoundRobin(candidates);
    case PolicyKind::least_connections:
      return policy::LeastConnections(candidates);
    case PolicyKind::random:
      return policy::Random(candidates);
    case PolicyKind::power_of_two:
      return policy::PowerOfTwo(candidates);
    case PolicyKind::source_hash:
      return policy::SourceHash(candidates, configured);
  }
  return policy::RoundRobin({});  // not a PolicyKind: the builder has refused it
}

}  // namespace sluice::table
