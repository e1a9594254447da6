// weighted_scan: one candidate among all usable ones, with shares by weight, in one pass over all.
// What the O(1) policies fall back to when nearly nothing is usable.
#pragma once

#include <cstdint>
#include <span>

#include "policy/candidate.h"
#include "policy/prng.h"

namespace sluice::policy {

// Reservoir sampling of one item by weight (Chao 1982). One pass, so that a candidate that fills up
// meanwhile cannot leave the draw without a winner. The sum fits: 16384 targets x 65535 < 2^32.
template <UsableCheck Usable>
[[nodiscard]] uint32_t weighted_scan(std::span<const uint32_t> weights, Cursor& cursor,
                                     const Usable& usable) {
  uint32_t picked = kNoPick;
  uint32_t total = 0;
  for (uint32_t i = 0; i < weights.size(); i++) {
    if (!usable(i)) continue;
    total += weights[i];
    if (scaled(next_random(cursor), total) < weights[i]) picked = i;
  }
  return picked;
}

}  // namespace sluice::policy
