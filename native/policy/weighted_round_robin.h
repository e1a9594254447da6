// weighted_round_robin: nginx's smooth weighted round robin, played in advance into a sequence, so
// that a pick costs one step (the idea of Tengine's VNSWRR) instead of a pass over all candidates.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/alias_table.h"
#include "policy/candidate.h"
#include "policy/weighted_scan.h"

namespace sluice::policy {

// Weights divided by their greatest common divisor make one round of the sequence exactly, as long
// as that is short (sum <= kSequenceMax, and quick to play). Otherwise the round gets a length of
// its own and each candidate the whole turns of its share; what the rounding down left over becomes
// turns that are drawn at pick time with the weights of the remainders. So every share is exact in
// the long run whatever the weights are: 1 beside 65535, or thousands of unlike weights.
class WeightedRoundRobin {
 public:
  static constexpr uint32_t kSequenceMax = 65536;

  explicit WeightedRoundRobin(std::span<const Candidate> candidates);

  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(Cursor& cursor, const Usable& usable) const {
    const auto length = static_cast<uint32_t>(sequence_.size());
    if (length == 0) return kNoPick;
    // A cursor freshly seeded, or from a table with a longer sequence.
    if (cursor.position >= length) cursor.position %= length;
    // Walking on skips the turns of unusable candidates and keeps the order of the others, so
    // their shares stay proportional. Bounded: the turns of the last usable candidate may be
    // 65536 steps away, and then a scan is cheaper.
    for (uint32_t step = 0; step < kWalkMax && step < length; step++) {
      uint32_t index = sequence_[cursor.position];
      cursor.position = cursor.position + 1 == length ? 0 : cursor.position + 1;
      if (index == weights_.size()) index = remainders_.draw(cursor);
      if (usable(index)) return index;
    }
    return weighted_scan(weights_, cursor, usable);
  }

  [[nodiscard]] uint32_t sequence_length() const { return static_cast<uint32_t>(sequence_.size()); }

 private:
  static constexpr uint32_t kWalkMax = 64;

  void play(std::span<const uint32_t> quotas, uint32_t length);

  std::vector<uint16_t> sequence_;  // candidate indexes; weights_.size() = draw a remainder
  std::vector<uint32_t> weights_;
  AliasTable remainders_;
};

}  // namespace sluice::policy
