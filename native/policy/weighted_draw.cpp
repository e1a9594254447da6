// Builds the draws by weight.
#include "policy/weighted_draw.h"

namespace sluice::policy {

WeightedDraw::WeightedDraw(std::span<const Candidate> candidates) {
  weights_.reserve(candidates.size());
  for (const Candidate& candidate : candidates) weights_.push_back(candidate.weight);
  draws_ = AliasTable(weights_);
}

}  // namespace sluice::policy
