// least_bandwidth: the candidate that moves the fewest bytes per second for its weight. Equals take
// turns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"
#include "policy/least_score.h"

namespace sluice::policy {

class LeastBandwidth {
 public:
  explicit LeastBandwidth(std::span<const Candidate> candidates);

  // What is measured is up to a second old, and whoever was least then would get every connection
  // until the next measurement. So each connection opened since counts as what one moves in the
  // mean, and so does the one that is coming. Two passes over contiguous entries.
  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(Cursor& cursor, const Signals& signals, const Usable& usable) const {
    const double each = mean_of_one(signals);
    return least_score(
        static_cast<uint32_t>(entries_.size()), cursor,
        [&](uint32_t index) { return expected(entries_[index], signals, each); }, usable);
  }

 private:
  struct Entry {
    uint32_t slot = 0;
    double per_weight = 1;  // 1 / weight
  };

  // Bytes per second of one connection. At least 1, so that without any traffic the connections
  // themselves decide.
  [[nodiscard]] double mean_of_one(const Signals& signals) const {
    double bytes = 0;
    double connections = 0;
    for (const Entry& entry : entries_) {
      const Bandwidth& measured = signals.bandwidth[entry.slot];
      // Relaxed: estimates, see Bandwidth.
      bytes += static_cast<double>(measured.bytes_per_s.load(std::memory_order_relaxed));
      connections += measured.active.load(std::memory_order_relaxed);
    }
    return connections == 0 ? 1 : std::max(1.0, bytes / connections);
  }

  // Connections that have gone since took no known share with them: that shows at the next
  // measurement.
  [[nodiscard]] static double expected(const Entry& entry, const Signals& signals, double each) {
    const Bandwidth& measured = signals.bandwidth[entry.slot];
    const double before = measured.active.load(std::memory_order_relaxed);
    const double now = signals.active[entry.slot].load(std::memory_order_relaxed);
    const double opened = std::max(0.0, now - before) + 1;
    const auto bytes = static_cast<double>(measured.bytes_per_s.load(std::memory_order_relaxed));
    return (bytes + opened * each) * entry.per_weight;
  }

  std::vector<Entry> entries_;
};

}  // namespace sluice::policy
