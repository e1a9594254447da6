// least_connections: the candidate with the smallest (active + 1) / weight, counted over all
// workers; equals take turns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"

namespace sluice::policy {

class LeastConnections {
 public:
  explicit LeastConnections(std::span<const Candidate> candidates);

  // One pass over contiguous (slot, weight) pairs, which ends at the first idle candidate of the
  // largest weight: nothing beats it. `usable` is asked only of a candidate that would win, which
  // is rare once a good one is found.
  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(Cursor& cursor, ActiveCounts active, const Usable& usable) const {
    const auto count = static_cast<uint32_t>(entries_.size());
    if (count == 0) return kNoPick;
    if (cursor.position >= count) cursor.position %= count;
    Best best;
    const uint32_t start = cursor.position;
    if (!scan(start, count, active, usable, best)) scan(0, start, active, usable, best);
    if (best.index == kNoPick) return kNoPick;
    // The first of equals from here on wins, so the next pick starts behind this one. (Starting one
    // further each time instead would give a candidate that follows a busy one a double share.)
    cursor.position = best.index + 1 == count ? 0 : best.index + 1;
    return best.index;
  }

 private:
  struct Entry {
    uint32_t slot = 0;
    uint32_t weight = 1;
  };
  struct Best {
    uint32_t index = kNoPick;
    uint64_t load = 0;  // active + 1
    uint64_t weight = 1;
  };

  // True when the best that can be has been found. Whoever asks for scores gets those of all.
  template <UsableCheck Usable>
  bool scan(uint32_t from, uint32_t to, ActiveCounts active, const Usable& usable,
            Best& best) const {
    for (uint32_t i = from; i < to; i++) {
      const bool found = consider(i, active, usable, best);
      if (!kAsksScores<Usable> && found && best.load == 1 && best.weight == weight_max_)
        return true;
    }
    return false;
  }

  // Is this one the best so far?
  template <UsableCheck Usable>
  bool consider(uint32_t index, ActiveCounts active, const Usable& usable, Best& best) const {
    const Entry& entry = entries_[index];
    // Relaxed: a count of a moment ago is as good a guess as one of now (see ActiveCounts).
    const uint64_t load = uint64_t{active[entry.slot].load(std::memory_order_relaxed)} + 1;
    tell_score(usable, index, [&] { return static_cast<double>(load) / entry.weight; });
    // load / weight < best.load / best.weight without a division; 33 + 16 bits fit in 64.
    const bool better =
        best.index == kNoPick || load * best.weight < best.load * uint64_t{entry.weight};
    if (!better || !usable(index)) return false;
    best = {index, load, entry.weight};
    return true;
  }

  std::vector<Entry> entries_;
  uint32_t weight_max_ = 0;
};

}  // namespace sluice::policy
