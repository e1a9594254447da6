// Keeps the slots whose counts the power_of_two policy compares.
#include "policy/power_of_two.h"

namespace sluice::policy {

PowerOfTwo::PowerOfTwo(std::span<const Candidate> candidates) : draws_(candidates) {
  slots_.reserve(candidates.size());
  for (const Candidate& candidate : candidates) slots_.push_back(candidate.slot);
}

}  // namespace sluice::policy
