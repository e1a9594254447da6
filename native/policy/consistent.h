// Consistent: what the consistent policies have in common. A key always leads to the same target
// while that is usable, and few keys move when the set of targets changes. `Table` says which
// candidate owns a hash; the identity of a target is its name.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/bounded_load.h"
#include "policy/candidate.h"
#include "policy/stable_hash.h"

namespace sluice::policy {

template <typename Table>
class Consistent {
 public:
  explicit Consistent(std::span<const Candidate> candidates, const Settings& settings = {})
      : table_(candidates, settings), bound_(candidates, settings.bounded_load) {
    identities_.reserve(candidates.size());
    for (const Candidate& candidate : candidates) identities_.push_back(name_hash(candidate.name));
  }

  // No cursor: every worker and every instance answers the same, but for the loads where there is a
  // bound on them. With nobody below his bound (the others cannot be used), evenness gives way.
  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(const Key& key, ActiveCounts load, const Usable& usable) const {
    if (table_.empty()) return kNoPick;
    if (!bound_.on()) return choose(key, usable);
    // Somebody with no load has room for one. This spares the usual pick the sum over all.
    const uint32_t first = table_.lookup(key.hash(0));
    if (bound_.load(first, load) == 0 && usable(first)) {
      tell_score(usable, first, [] { return 0.0; });
      return first;
    }
    const uint64_t total = bound_.total(load);
    const uint32_t index = choose(key, [&](uint32_t i) {
      const uint64_t has = bound_.load(i, load);
      const uint64_t may_have = bound_.places(i, total);
      tell_score(usable, i,
                 [&] { return static_cast<double>(has) / static_cast<double>(may_have); });
      return has < may_have && usable(i);
    });
    return index != kNoPick ? index : choose(key, usable);
  }

  [[nodiscard]] const Table& table() const { return table_; }

 private:
  static constexpr uint64_t kHashesMax = 16;

  // The keys of a target that cannot be used are spread over all others by hashing again with
  // another seed (going on to the next place or target would send them all to one, and overload it
  // in turn: Chen et al., AAAI'21), and come back as soon as it can.
  template <UsableCheck Usable>
  [[nodiscard]] uint32_t choose(const Key& key, const Usable& usable) const {
    for (uint64_t seed = 0; seed < kHashesMax; seed++) {
      const uint32_t index = table_.lookup(key.hash(seed));
      if (usable(index)) return index;
    }
    return highest_random_weight(key, usable);
  }

  // Rendezvous hashing over those that are usable: deterministic and independent of the order too.
  // Weights do not count in this last resort.
  template <UsableCheck Usable>
  [[nodiscard]] uint32_t highest_random_weight(const Key& key, const Usable& usable) const {
    const uint64_t hash = key.hash(kHashesMax);
    uint32_t picked = kNoPick;
    uint64_t highest = 0;
    for (uint32_t i = 0; i < identities_.size(); i++) {
      if (!usable(i)) continue;
      const uint64_t rank = seeded_hash(identities_[i], hash);
      if (picked == kNoPick || rank > highest) {
        picked = i;
        highest = rank;
      }
    }
    return picked;
  }

  Table table_;
  BoundedLoad bound_;
  std::vector<uint64_t> identities_;
};

}  // namespace sluice::policy
