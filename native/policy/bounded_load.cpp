// Keeps the slots and weights by which a bounded load is shared out.
#include "policy/bounded_load.h"

namespace sluice::policy {

BoundedLoad::BoundedLoad(std::span<const Candidate> candidates, uint32_t percent)
    : percent_(std::min(percent, kPercentMax)) {
  if (percent_ == 0) return;
  entries_.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    entries_.push_back({.slot = candidate.slot, .weight = candidate.weight});
    weight_total_ += candidate.weight;
  }
}

}  // namespace sluice::policy
