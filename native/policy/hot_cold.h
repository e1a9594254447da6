// hot_cold: of three candidates drawn by weight, the quickest of those that are not hot; when all
// three are, the least loaded (the rule of Prequal, Wydrowski et al., NSDI'24, with loads that we
// know instead of probes). Response times decide while nobody is overloaded, load where somebody
// is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"
#include "policy/prng.h"
#include "policy/weighted_draw.h"

namespace sluice::policy {

class HotCold {
 public:
  explicit HotCold(std::span<const Candidate> candidates);

  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(Cursor& cursor, const Signals& signals, const Usable& usable) const {
    const double limit = hot_above(cursor, signals);
    Drawn best;
    uint32_t drawn[kDrawn] = {kNoPick, kNoPick, kNoPick};
    for (uint32_t& place : drawn) {
      place = draws_.draw(cursor, [&](uint32_t index) {
        return std::find(std::begin(drawn), std::end(drawn), index) == std::end(drawn) &&
               usable(index);
      });
      if (place == kNoPick) break;  // there are no more
      const Drawn one = look_at(place, signals, limit);
      tell_score(usable, place, [&] { return one.hot ? one.load : one.response_us; });
      if (best.index == kNoPick || one < best) best = one;
    }
    return best.index;
  }

 private:
  static constexpr uint32_t kDrawn = 3;
  // Loads that say what is usual: all of them in a small pool, as many at random in a large one.
  static constexpr uint32_t kSampled = 16;
  // Hot is who has more than this part of the others: Prequal's 0.84 (its Q_RIF).
  static constexpr uint32_t kQuantilePercent = 84;

  struct Drawn {
    uint32_t index = kNoPick;
    bool hot = false;
    double load = 0;  // per weight
    double response_us = 0;

    friend bool operator<(const Drawn& a, const Drawn& b) {
      if (a.hot != b.hot) return b.hot;
      if (!a.hot && a.response_us != b.response_us) return a.response_us < b.response_us;
      return a.load < b.load;
    }
  };

  // Relaxed: estimates, see Signals.
  [[nodiscard]] double load_of(uint32_t index, const Signals& signals) const {
    return signals.load[slots_[index]].load(std::memory_order_relaxed) /
           static_cast<double>(draws_.weight(index));
  }

  [[nodiscard]] Drawn look_at(uint32_t index, const Signals& signals, double limit) const {
    const double load = load_of(index, signals);
    return {.index = index,
            .hot = load > limit,
            .load = load,
            // 0 = not measured: somebody has to go and look. Until it has answered it gets no more
            // than others, because then it is hot.
            .response_us = static_cast<double>(
                signals.response_us[slots_[index]].load(std::memory_order_relaxed))};
  }

  // The load at the quantile. Rounded down to a rank, so that of two or three targets the most
  // loaded can be hot, too.
  [[nodiscard]] double hot_above(Cursor& cursor, const Signals& signals) const {
    double loads[kSampled] = {};
    const uint32_t sampled = std::min(kSampled, draws_.size());
    if (sampled == 0) return 0;
    for (uint32_t i = 0; i < sampled; i++) {
      const uint32_t index =
          draws_.size() == sampled ? i : scaled(next_random(cursor), draws_.size());
      loads[i] = load_of(index, signals);
    }
    double* const rank = loads + (sampled - 1) * kQuantilePercent / 100;
    std::nth_element(loads, rank, loads + sampled);
    return *rank;
  }

  std::vector<uint32_t> slots_;
  WeightedDraw draws_;
};

}  // namespace sluice::policy
