// least_score: the usable candidate of the least score; equals take turns.
#pragma once

#include <concepts>
#include <cstdint>

#include "policy/candidate.h"

namespace sluice::policy {

// One pass over `count` candidates. `usable` is asked only of one that would win, which is rare
// once a good one is found.
template <UsableCheck Usable, std::invocable<uint32_t> Score>
[[nodiscard]] uint32_t least_score(uint32_t count, Cursor& cursor, const Score& score,
                                   const Usable& usable) {
  if (count == 0) return kNoPick;
  // A cursor freshly seeded, or from a table with more candidates.
  if (cursor.position >= count) cursor.position %= count;
  uint32_t picked = kNoPick;
  double least = 0;
  const auto consider = [&](uint32_t index) {
    const double own = score(index);
    tell_score(usable, index, [own] { return own; });
    if ((picked == kNoPick || own < least) && usable(index)) {
      picked = index;
      least = own;
    }
  };
  const uint32_t start = cursor.position;
  for (uint32_t i = start; i < count; i++) consider(i);
  for (uint32_t i = 0; i < start; i++) consider(i);
  if (picked == kNoPick) return kNoPick;
  // The first of equals from here on wins, so the next pick starts behind this one: equals get
  // equal shares, also beside busier ones.
  cursor.position = picked + 1 == count ? 0 : picked + 1;
  return picked;
}

}  // namespace sluice::policy
