// power_of_two: two different candidates drawn by weight; the one with fewer active connections for
// its weight wins (Mitzenmacher 2001). Nearly as even as least_connections, in O(1), and without
// every worker running to the same target on a stale count.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"
#include "policy/weighted_draw.h"

namespace sluice::policy {

class PowerOfTwo {
 public:
  explicit PowerOfTwo(std::span<const Candidate> candidates);

  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(Cursor& cursor, ActiveCounts active, const Usable& usable) const {
    const uint32_t first = draws_.draw(cursor, usable);
    if (first == kNoPick || draws_.size() == 1) return first;
    const uint32_t second =
        draws_.draw(cursor, [&](uint32_t index) { return index != first && usable(index); });
    if (second == kNoPick) return first;
    const uint64_t first_load = load(first, active);
    const uint64_t second_load = load(second, active);
    tell_score(usable, first, [&] { return per_weight(first, first_load); });
    tell_score(usable, second, [&] { return per_weight(second, second_load); });
    return first_load * draws_.weight(second) <= second_load * draws_.weight(first) ? first
                                                                                    : second;
  }

 private:
  // Relaxed: a count of a moment ago is what this policy is made for (see ActiveCounts).
  [[nodiscard]] uint64_t load(uint32_t index, ActiveCounts active) const {
    return active[slots_[index]].load(std::memory_order_relaxed);
  }
  [[nodiscard]] double per_weight(uint32_t index, uint64_t load) const {
    return static_cast<double>(load) / draws_.weight(index);
  }

  std::vector<uint32_t> slots_;
  WeightedDraw draws_;
};

}  // namespace sluice::policy
