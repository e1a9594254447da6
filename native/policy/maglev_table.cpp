// Fills the Maglev table. Turns are by weight, and a target's turns come at times of its own
// (halfway, one and a half, ... divided by its weight), so that a target that leaves does not
// change the order of turns among those that stay.
#include "policy/maglev_table.h"

#include <algorithm>
#include <numeric>
#include <queue>

#include "policy/stable_hash.h"

namespace sluice::policy {

namespace {

// Primes, so that every step width visits every slot. The last one takes 16384 targets.
constexpr uint32_t kSizes[] = {65537, 262147, 655373, 1638431};
constexpr uint32_t kSlotsPerTarget = 100;
constexpr uint64_t kOffsetSeed = 1;
constexpr uint64_t kSkipSeed = 2;

uint32_t size_for(uint32_t targets) {
  for (const uint32_t size : kSizes) {
    if (size >= targets * kSlotsPerTarget) return size;
  }
  return kSizes[std::size(kSizes) - 1];
}

// One target's walk over its own permutation of the slots.
struct Walk {
  uint32_t position = 0;
  uint32_t skip = 1;
  uint16_t index = 0;
};

// Targets of one weight, in the order of their names. They take their turns together.
struct Group {
  uint64_t weight = 1;
  uint64_t turn = 0;
  uint32_t begin = 0;
  uint32_t end = 0;

  // Later in time: (2 turn + 1) / (2 weight), without the division; equals by weight, which is
  // unique. Fits: turn < 2^21, weight < 2^16.
  friend bool operator<(const Group& a, const Group& b) {
    const uint64_t time_a = (2 * a.turn + 1) * b.weight;
    const uint64_t time_b = (2 * b.turn + 1) * a.weight;
    return time_a != time_b ? time_a > time_b : a.weight < b.weight;
  }
};

class Filling {
 public:
  explicit Filling(uint32_t size) : slots_(size), taken_((size + 63) / 64), free_(size) {}

  [[nodiscard]] bool done() const { return free_ == 0; }
  [[nodiscard]] std::vector<uint16_t> take() { return std::move(slots_); }

  // Gives `walk` the next free slot of its permutation. The bit map keeps the many probes of the
  // last slots within the first-level cache.
  void give(Walk& walk) {
    uint32_t at = walk.position;
    while ((taken_[at / 64] >> (at % 64) & 1U) != 0) at = after(at, walk.skip);
    taken_[at / 64] |= uint64_t{1} << (at % 64);
    slots_[at] = walk.index;
    walk.position = after(at, walk.skip);
    free_--;
  }

 private:
  [[nodiscard]] uint32_t after(uint32_t at, uint32_t skip) const {
    const auto size = static_cast<uint32_t>(slots_.size());
    const uint32_t next = at + skip;  // both below 2^21
    return next >= size ? next - size : next;
  }

  std::vector<uint16_t> slots_;
  std::vector<uint64_t> taken_;
  uint32_t free_;
};

}  // namespace

MaglevTable::MaglevTable(std::span<const Candidate> candidates, const Settings& settings) {
  if (candidates.empty()) return;
  const auto count = static_cast<uint32_t>(candidates.size());
  const uint32_t size = size_for(std::max(count, settings.configured));
  std::vector<uint16_t> order(count);
  std::iota(order.begin(), order.end(), uint16_t{0});
  std::sort(order.begin(), order.end(), [&](uint16_t a, uint16_t b) {
    const Candidate& x = candidates[a];
    const Candidate& y = candidates[b];
    if (x.weight != y.weight) return x.weight > y.weight;
    return x.name != y.name ? x.name < y.name : a < b;
  });

  std::vector<Walk> walks(count);
  std::vector<Group> groups;
  for (uint32_t i = 0; i < count; i++) {
    const Candidate& candidate = candidates[order[i]];
    const uint64_t identity = name_hash(candidate.name);
    walks[i].position = static_cast<uint32_t>(seeded_hash(identity, kOffsetSeed) % size);
    walks[i].skip = static_cast<uint32_t>(seeded_hash(identity, kSkipSeed) % (size - 1)) + 1;
    walks[i].index = order[i];
    if (groups.empty() || groups.back().weight != candidate.weight) {
      groups.push_back({.weight = candidate.weight, .begin = i, .end = i});
    }
    groups.back().end = i + 1;
  }

  Filling filling(size);
  std::priority_queue<Group> turns(std::less<Group>{}, std::move(groups));
  while (!filling.done()) {
    Group group = turns.top();
    turns.pop();
    for (uint32_t i = group.begin; i < group.end && !filling.done(); i++) filling.give(walks[i]);
    group.turn++;
    turns.push(group);
  }
  slots_ = filling.take();
}

}  // namespace sluice::policy
