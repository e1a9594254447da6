// Builds the draws of the power_of_two policy.
#include "policy/power_of_two.h"

namespace sluice::policy {

PowerOfTwo::PowerOfTwo(std::span<const Candidate> candidates) {
  weights_.reserve(candidates.size());
  slots_.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    weights_.push_back(candidate.weight);
    slots_.push_back(candidate.slot);
  }
  draws_ = AliasTable(weights_);
}

}  // namespace sluice::policy
