// Builds the draws of the random policy.
#include "policy/random.h"

namespace sluice::policy {

Random::Random(std::span<const Candidate> candidates) {
  weights_.reserve(candidates.size());
  for (const Candidate& candidate : candidates) weights_.push_back(candidate.weight);
  draws_ = AliasTable(weights_);
}

}  // namespace sluice::policy
