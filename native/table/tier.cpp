// Builds the policy that a pool's config names over the tier's candidates.
#include "table/tier.h"

#include <algorithm>

namespace sluice::table {

bool is_keyed(PolicyKind kind) {
  switch (kind) {
#define X(name, number, Class) \
  case PolicyKind::name:       \
    return policy::Keyed<policy::Class>;
    SLUICE_POLICIES(X)
#undef X
  }
  return false;  // not a PolicyKind: the builder has refused it
}

bool reads_signals(PolicyKind kind) {
  switch (kind) {
#define X(name, number, Class) \
  case PolicyKind::name:       \
    return policy::ReadsSignals<policy::Class>;
    SLUICE_POLICIES(X)
#undef X
  }
  return false;
}

Tier::Tier(PolicyKind kind, std::vector<policy::Candidate> candidates, const TierRank& rank)
    : kind_(kind),
      share_(rank.share),
      limited_(std::any_of(candidates.begin(), candidates.end(),
                           [](const policy::Candidate& c) { return c.max_connections != 0; })),
      candidates_(std::move(candidates)),
      policy_(build(kind, candidates_, rank.settings)) {}

Tier::Policy Tier::build(PolicyKind kind, std::span<const policy::Candidate> candidates,
                         const policy::Settings& settings) {
  switch (kind) {
#define X(name, number, Class) \
  case PolicyKind::name:       \
    return policy::make_policy<policy::Class>(candidates, settings);
    SLUICE_POLICIES(X)
#undef X
  }
  return {};  // not a PolicyKind: the builder has refused it
}

}  // namespace sluice::table
