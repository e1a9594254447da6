// BoundedLoad: nobody gets more than his share of the load, times a factor (Mirrokni, Thorup and
// Zadimoghaddam 2016, as HAProxy's hash-balance-factor). Put on a consistent policy it keeps one
// popular key from drowning one target.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"

namespace sluice::policy {

class BoundedLoad {
 public:
  // `percent` 0: no bound. At most kPercentMax, or the products below would not fit.
  static constexpr uint32_t kPercentMax = 1000;
  BoundedLoad(std::span<const Candidate> candidates, uint32_t percent);

  [[nodiscard]] bool on() const { return percent_ != 0; }

  [[nodiscard]] uint64_t load(uint32_t index, ActiveCounts counts) const {
    // Relaxed: a count of a moment ago is as good a guess as one of now (see ActiveCounts).
    return counts[entries_[index].slot].load(std::memory_order_relaxed);
  }

  // Over all candidates, usable or not: the one that is full by its own limit counts, too.
  [[nodiscard]] uint64_t total(ActiveCounts counts) const {
    uint64_t sum = 0;
    for (const Entry& entry : entries_) {
      sum += counts[entry.slot].load(std::memory_order_relaxed);
    }
    // There are fewer descriptors than that; it keeps the product in places() within 58 bits.
    return std::min<uint64_t>(sum, UINT32_MAX);
  }

  // How much the candidate may have when one more comes to `total`: its share by weight of
  // ceil((total + 1) x factor), rounded up, so never 0, and together more than there is: whatever
  // the loads are, somebody has room.
  [[nodiscard]] uint64_t places(uint32_t index, uint64_t total) const {
    const uint64_t whole = 100 * weight_total_;
    return ((total + 1) * percent_ * entries_[index].weight + whole - 1) / whole;
  }

 private:
  struct Entry {
    uint32_t slot = 0;
    uint32_t weight = 1;
  };
  std::vector<Entry> entries_;
  uint64_t weight_total_ = 0;
  uint32_t percent_;
};

}  // namespace sluice::policy
