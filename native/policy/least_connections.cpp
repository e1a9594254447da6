// Keeps what a pick reads of each candidate side by side.
#include "policy/least_connections.h"

#include <algorithm>

namespace sluice::policy {

LeastConnections::LeastConnections(std::span<const Candidate> candidates) {
  entries_.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    entries_.push_back({.slot = candidate.slot, .weight = candidate.weight});
    weight_max_ = std::max(weight_max_, candidate.weight);
  }
}

}  // namespace sluice::policy
