// MaglevTable: consistent hashing by a filled table (Eisenbud et al., NSDI'16, section 3.4). Every
// instance with the same names and weights builds the same table, in whatever order they are given.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"

namespace sluice::policy {

class MaglevTable {
 public:
  MaglevTable() = default;
  // The size follows from max(candidates, settings.configured): at least 100 slots for each (65537
  // up to 655 candidates), which keeps imbalance and needless moves near 1 %. With `configured` an
  // unhealthy target does not change the size, which would move nearly every client.
  explicit MaglevTable(std::span<const Candidate> candidates, const Settings& settings = {});

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(slots_.size()); }
  [[nodiscard]] bool empty() const { return slots_.empty(); }

  // The candidate's index for 64 hash bits. Not for an empty table. Multiply and shift on the high
  // half: no division, and a bias of at most 1638431 / 2^32.
  [[nodiscard]] uint32_t lookup(uint64_t hash) const {
    return slots_[static_cast<size_t>(((hash >> 32U) * slots_.size()) >> 32U)];
  }

 private:
  std::vector<uint16_t> slots_;
};

}  // namespace sluice::policy
