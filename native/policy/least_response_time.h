// least_response_time: the candidate with the smallest response time x (load + 1) / weight, where
// response time is a peak-sensitive mean (Finagle's and Linkerd's Peak EWMA): what a client has to
// expect who joins the queue there. Equals take turns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"
#include "policy/least_score.h"

namespace sluice::policy {

class LeastResponseTime {
 public:
  explicit LeastResponseTime(std::span<const Candidate> candidates);

  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(Cursor& cursor, const Signals& signals, const Usable& usable) const {
    return least_score(
        static_cast<uint32_t>(entries_.size()), cursor,
        [&](uint32_t index) { return expected_us(entries_[index], signals); }, usable);
  }

 private:
  // Nobody knows how fast a new target is, so one connection goes and looks, before all others; the
  // next one does not follow until that has answered (Finagle's penalty). Where nothing can be
  // measured, this is least_connections.
  static constexpr double kUnmeasuredUs = 1'000'000;

  struct Entry {
    uint32_t slot = 0;
    double per_weight = 1;  // 1 / weight
  };

  [[nodiscard]] static double expected_us(const Entry& entry, const Signals& signals) {
    // Relaxed: estimates, see Signals.
    const double load = signals.load[entry.slot].load(std::memory_order_relaxed);
    const double response = signals.response_us[entry.slot].load(std::memory_order_relaxed);
    if (response == 0) return load * kUnmeasuredUs * entry.per_weight;
    return response * (load + 1) * entry.per_weight;
  }

  std::vector<Entry> entries_;
};

}  // namespace sluice::policy
