// Keeps the slots whose signals the hot_cold policy compares.
#include "policy/hot_cold.h"

namespace sluice::policy {

HotCold::HotCold(std::span<const Candidate> candidates) : draws_(candidates) {
  slots_.reserve(candidates.size());
  for (const Candidate& candidate : candidates) slots_.push_back(candidate.slot);
}

}  // namespace sluice::policy
