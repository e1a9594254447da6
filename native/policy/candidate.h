// What a policy sees of a target, and what it keeps between picks. No socket, clock or table type:
// a policy is a pure function over these, so each is tested by property in microseconds.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace sluice::policy {

// One eligible target. The order of a pool's candidates is the order of the config file.
struct Candidate {
  uint32_t slot = 0;             // index into the shared `active` counts
  uint32_t weight = 1;           // 1..65535; a target of weight 0 is not a candidate
  uint32_t max_connections = 0;  // 0 = no limit
  std::string_view name = {};    // its identity for consistent hashing; outlives the policy
};

inline constexpr uint32_t kNoPick = std::numeric_limits<uint32_t>::max();

// Tiers of one pool: one for each priority (0..15), and as many backups one by one.
inline constexpr uint32_t kTiersMax = 32;

// One per worker and pool, owned by the worker, seeded at a random place so that workers do not
// walk in step. xoshiro128++ state for `random` and `power_of_two`, position for the rotations.
struct Cursor {
  uint32_t random[4] = {};
  uint32_t position = 0;
  // The same for the pool's tiers behind the first (Pool::pick puts a tier's own in place): one
  // tier's turns must not push the other's out of step.
  uint32_t further_positions[kTiersMax - 1] = {};
};

// A number per target slot that all workers share: packed, or the same member of structs that lie
// side by side (`stride` numbers apart). Written by every worker, relaxed; a policy needs only a
// recent value, so relaxed loads suffice.
class SlotNumbers {
 public:
  using Number = std::atomic<uint32_t>;

  constexpr SlotNumbers() = default;
  constexpr SlotNumbers(const Number* first, size_t count, size_t stride = 1)
      : first_(first), count_(count), stride_(stride) {}
  constexpr SlotNumbers(std::span<const Number> packed)
      : SlotNumbers(packed.data(), packed.size()) {}
  constexpr SlotNumbers(std::span<Number> packed) : SlotNumbers(packed.data(), packed.size()) {}

  [[nodiscard]] const Number& operator[](size_t slot) const { return first_[slot * stride_]; }
  [[nodiscard]] size_t size() const { return count_; }

 private:
  const Number* first_ = nullptr;
  size_t count_ = 0;
  size_t stride_ = 1;
};

// Connections or sessions open per target slot, or the turns among them.
using ActiveCounts = SlotNumbers;

// One target's traffic. Writer: the coordinator, once a second, relaxed; readers: every worker,
// relaxed: estimates that order nothing.
struct alignas(16) Bandwidth {
  std::atomic<uint64_t> bytes_per_s{0};  // both directions, all workers, smoothed
  std::atomic<uint32_t> active{0};       // connections and sessions that it was measured with
};

// What the engine knows about targets now, by slot, over all workers.
struct Signals {
  ActiveCounts active;  // connections and sessions that are open
  ActiveCounts load;    // what the pool's policy counts: `active`, or `turns`
  ActiveCounts turns;   // connections that wait for their target's answer
  // A peak-sensitive mean of the time to an answer (to a connect, where turns cannot be told); a
  // failure counts as a slow one. 0 = not measured. Falls while nobody asks, so that one that was
  // slow is asked again.
  SlotNumbers response_us;
  std::span<const Bandwidth> bandwidth;

  [[nodiscard]] Signals counting_turns() const {
    Signals counting = *this;
    counting.load = turns;
    return counting;
  }
};

// What a pool's settings and its config say to a policy besides the candidates. 0 = not known, off.
struct Settings {
  uint32_t configured = 0;    // targets of the tier by the config, eligible or not
  uint32_t weight_max = 0;    // the largest weight among them
  uint32_t bounded_load = 0;  // percent of the mean load that a target may have
};

// May candidate i (an index into the policy's candidates) be picked now? False for one that this
// connection has tried already and for one at its max_connections.
template <typename Usable>
concept UsableCheck = std::predicate<const Usable&, uint32_t>;

// Tells whoever asks (explain) the number by which a policy judged candidate i; smaller is better.
// A usable check without note_score, as every pick of the data plane has, makes it cost nothing:
// there is one pick, not one that picks and another that explains.
template <typename Usable>
inline constexpr bool kAsksScores = requires(const Usable& usable) { usable.note_score(0U, 0.0); };

template <UsableCheck Usable, typename Score>
constexpr void tell_score(const Usable& usable, uint32_t index, const Score& score) {
  if constexpr (kAsksScores<Usable>) usable.note_score(index, score());
}

}  // namespace sluice::policy
