// WeightedDraw: one acceptable candidate drawn by weight, in O(1) unless nearly none is acceptable.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/alias_table.h"
#include "policy/candidate.h"
#include "policy/weighted_scan.h"

namespace sluice::policy {

class WeightedDraw {
 public:
  explicit WeightedDraw(std::span<const Candidate> candidates);

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(weights_.size()); }
  [[nodiscard]] uint32_t weight(uint32_t index) const { return weights_[index]; }

  // By weight; when that finds nothing acceptable (one weight outweighs all others, or nearly all
  // are unusable) a few draws without weights, then a scan. For policies that compare what they
  // have drawn per weight, so that a candidate may well be drawn without. kNoPick: there is none.
  template <UsableCheck Acceptable>
  [[nodiscard]] uint32_t draw(Cursor& cursor, const Acceptable& acceptable) const {
    if (weights_.empty()) return kNoPick;
    for (uint32_t turn = 0; turn < kDrawsMax; turn++) {
      const uint32_t index =
          turn < kDrawsMax / 2 ? draws_.draw(cursor) : scaled(next_random(cursor), size());
      if (acceptable(index)) return index;
    }
    return weighted_scan(weights_, cursor, acceptable);
  }

 private:
  static constexpr uint32_t kDrawsMax = 16;

  std::vector<uint32_t> weights_;
  AliasTable draws_;
};

}  // namespace sluice::policy
