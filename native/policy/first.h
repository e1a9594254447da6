// first: the first candidate in the order of the file that has room. Fills one target up to its
// max_connections before it touches the next, so that those at the end can be switched off.
#pragma once

#include <cstdint>
#include <span>

#include "policy/candidate.h"

namespace sluice::policy {

class First {
 public:
  explicit First(std::span<const Candidate> candidates)
      : count_(static_cast<uint32_t>(candidates.size())) {}

  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(const Usable& usable) const {
    for (uint32_t index = 0; index < count_; index++) {
      if (usable(index)) return index;
    }
    return kNoPick;
  }

 private:
  uint32_t count_;
};

}  // namespace sluice::policy
