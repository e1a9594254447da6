// random: an independent draw with probabilities by weight.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/alias_table.h"
#include "policy/candidate.h"
#include "policy/weighted_scan.h"

namespace sluice::policy {

class Random {
 public:
  explicit Random(std::span<const Candidate> candidates);

  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(Cursor& cursor, const Usable& usable) const {
    if (weights_.empty()) return kNoPick;
    // Drawing again keeps the proportions of the usable ones; so does the scan.
    for (uint32_t draw = 0; draw < kDrawsMax; draw++) {
      const uint32_t index = draws_.draw(cursor);
      if (usable(index)) return index;
    }
    return weighted_scan(weights_, cursor, usable);
  }

 private:
  static constexpr uint32_t kDrawsMax = 16;

  std::vector<uint32_t> weights_;
  AliasTable draws_;
};

}  // namespace sluice::policy
