// Stickiness: how a pool sends its clients back to the targets that they were sent to before.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/stable_hash.h"
#include "sticky/sticky_table.h"

namespace sluice::table {

// A target's name outlives its slot, and its address too where the config gives it a name.
[[nodiscard]] constexpr sticky::Identity identity_of(std::string_view name) {
  const uint64_t hash = policy::name_hash(name);
  return hash == sticky::kNobody ? 1 : hash;
}

// A target of the pool, as its sticky entries see it.
struct StickyTarget {
  sticky::Identity identity = sticky::kNobody;
  uint32_t slot = 0;
  uint32_t max_connections = 0;
  bool serves = false;  // entries may lead here
  bool renews = false;  // and live on by it
};

class Stickiness {
 public:
  Stickiness() = default;
  explicit Stickiness(std::vector<StickyTarget> targets) : targets_(std::move(targets)) {
    std::sort(targets_.begin(), targets_.end(), before);
  }

  uint32_t capacity = 0;
  uint32_t expire_ms = 0;
  uint32_t prefix_v4 = 32;
  uint32_t prefix_v6 = 128;
  bool refuse_when_down = false;
  // Carried from table to table while the pool stays. Given by the engine before the table is
  // published.
  std::shared_ptr<sticky::StickyTable> entries;

  // nullptr: the pool has no such target any more.
  [[nodiscard]] const StickyTarget* find(sticky::Identity identity) const {
    const auto at = std::lower_bound(targets_.begin(), targets_.end(),
                                     StickyTarget{.identity = identity}, before);
    return at != targets_.end() && at->identity == identity ? &*at : nullptr;
  }

 private:
  static bool before(const StickyTarget& a, const StickyTarget& b) {
    return a.identity < b.identity;
  }

  std::vector<StickyTarget> targets_;
};

}  // namespace sluice::table
