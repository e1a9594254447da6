// source_hash: a client's address always leads to the same target while that is usable, and moves
// as few clients as possible when the set of targets changes. The identity of a target is its name.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"
#include "policy/maglev.h"
#include "policy/stable_hash.h"

namespace sluice::policy {

class SourceHash {
 public:
  // `configured`: see MaglevTable.
  explicit SourceHash(std::span<const Candidate> candidates, uint32_t configured = 0);

  // No cursor: every worker and every instance answers the same. An unusable target's clients are
  // spread over all others by hashing again with another seed (going on to the next slot or target
  // would send them all to one), and come back as soon as it is usable.
  template <UsableCheck Usable>
  [[nodiscard]] uint32_t pick(const AddressKey& key, const Usable& usable) const {
    if (table_.empty()) return kNoPick;
    for (uint64_t seed = 0; seed < kHashesMax; seed++) {
      const uint32_t index = table_.lookup(key.hash(seed));
      if (usable(index)) return index;
    }
    return highest_random_weight(key, usable);
  }

  [[nodiscard]] uint32_t table_size() const { return table_.size(); }

 private:
  static constexpr uint64_t kHashesMax = 16;

  // Rendezvous hashing over those that are usable: deterministic and independent of the order too.
  // Weights do not count in this last resort.
  template <UsableCheck Usable>
  [[nodiscard]] uint32_t highest_random_weight(const AddressKey& key, const Usable& usable) const {
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

  MaglevTable table_;
  std::vector<uint64_t> identities_;
};

}  // namespace sluice::policy
