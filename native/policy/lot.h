// Lot: falls on about one in so many, for what is to be closed little by little.
#pragma once

#include <cstdint>

#include "policy/prng.h"

namespace sluice::policy {

class Lot {
 public:
  // Falls on everyone.
  constexpr Lot() = default;
  // `one_in` 0 or 1: on everyone. `cursor` outlives it.
  constexpr Lot(Cursor& cursor, uint32_t one_in) : cursor_(&cursor), one_in_(one_in) {}

  [[nodiscard]] bool falls() const {
    return one_in_ <= 1 || scaled(next_random(*cursor_), one_in_) == 0;
  }

 private:
  Cursor* cursor_ = nullptr;
  uint32_t one_in_ = 1;
};

}  // namespace sluice::policy
