// Keeps what a pick reads of each candidate side by side.
#include "policy/least_response_time.h"

namespace sluice::policy {

LeastResponseTime::LeastResponseTime(std::span<const Candidate> candidates) {
  entries_.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    entries_.push_back({.slot = candidate.slot, .per_weight = 1.0 / candidate.weight});
  }
}

}  // namespace sluice::policy
