// power_of_two: two different candidates drawn by weight; the one with fewer active connections for
// its weight wins (Mitzenmacher 2001). Nearly as even as least_connections, in O(1), and without
// every worker running to the same target on a stale count.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/alias_table.h"
#include "policy/candidate.h"
#include "policy/weighted_scan.h"

namespace sluice::policy {

class PowerOfTwo {
 public:
  explicit PowerOfTwo(std::span<const Candidate> candidates);

  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(Cursor& cursor, ActiveCounts active, const Usable& usable) const {
    if (weights_.empty()) return kNoPick;
    const uint32_t first = draw_one(cursor, usable);
    if (first == kNoPick || weights_.size() == 1) return first;
    const uint32_t second =
        draw_one(cursor, [&](uint32_t index) { return index != first && usable(index); });
    if (second == kNoPick) return first;
    const uint64_t first_load = load(first, active);
    const uint64_t second_load = load(second, active);
    tell_score(usable, first, [&] { return per_weight(first, first_load); });
    tell_score(usable, second, [&] { return per_weight(second, second_load); });
    return first_load * weights_[second] <= second_load * weights_[first] ? first : second;
  }

 private:
  static constexpr uint32_t kDrawsMax = 16;

  // By weight; when that finds nothing acceptable (one weight outweighs all others, or nearly all
  // are unusable) a few draws without weights, then a scan. The comparison is by active per
  // weight, so the target that is compared may well be drawn without.
  template <UsableCheck Acceptable>
  [[nodiscard]] uint32_t draw_one(Cursor& cursor, const Acceptable& acceptable) const {
    const auto count = static_cast<uint32_t>(weights_.size());
    for (uint32_t draw = 0; draw < kDrawsMax; draw++) {
      const uint32_t index =
          draw < kDrawsMax / 2 ? draws_.draw(cursor) : scaled(next_random(cursor), count);
      if (acceptable(index)) return index;
    }
    return weighted_scan(weights_, cursor, acceptable);
  }

  // Relaxed: a count of a moment ago is what this policy is made for (see ActiveCounts).
  [[nodiscard]] uint64_t load(uint32_t index, ActiveCounts active) const {
    return active[slots_[index]].load(std::memory_order_relaxed);
  }
  [[nodiscard]] double per_weight(uint32_t index, uint64_t load) const {
    return static_cast<double>(load) / weights_[index];
  }

  std::vector<uint32_t> weights_;
  std::vector<uint32_t> slots_;
  AliasTable draws_;
};

}  // namespace sluice::policy
