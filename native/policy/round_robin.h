// round_robin: every candidate in turn, in the order of the file; weights are ignored.
#pragma once

#include <cstdint>
#include <span>

#include "policy/candidate.h"

namespace sluice::policy {

class RoundRobin {
 public:
  explicit RoundRobin(std::span<const Candidate> candidates)
      : count_(static_cast<uint32_t>(candidates.size())) {}

  // The turn moves on behind the picked candidate, not behind the skipped one: the followers of an
  // unusable candidate share its turns instead of the next one getting them all.
  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(Cursor& cursor, const Usable& usable) const {
    if (count_ == 0) return kNoPick;
    // A cursor freshly seeded, or from a table with more candidates.
    if (cursor.position >= count_) cursor.position %= count_;
    for (uint32_t step = 0; step < count_; step++) {
      const uint32_t index = cursor.position;
      cursor.position = index + 1 == count_ ? 0 : index + 1;
      if (usable(index)) return index;
    }
    return kNoPick;
  }

 private:
  uint32_t count_;
};

}  // namespace sluice::policy
