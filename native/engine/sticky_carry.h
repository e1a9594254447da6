// Carries the entries of sticky pools from table to table, so that a reload makes no client forget
// its target. Coordinator only.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sticky/sticky_table.h"
#include "table/table.h"

namespace sluice::engine {

// A pool's entries in a table of a new capacity, while workers may still use the old one.
struct StickyMove {
  std::shared_ptr<sticky::StickyTable> from;
  std::shared_ptr<sticky::StickyTable> to;
  uint64_t copied_ms = 0;
};

// Fills Stickiness::entries of every sticky pool of `next`: what the pool in the same slot has in
// `current` (a pool's slot is its own until a table without it has been adopted), new and empty
// without one. With another capacity it is a copy: the least recently used stay behind where it has
// less room. False when there is no memory; nothing that `current` uses has changed then.
[[nodiscard]] bool carry_sticky_tables(table::Table& next, const table::Table* current,
                                       uint64_t now_ms, std::vector<StickyMove>& moves);

// Once every worker has adopted `table`: what they learned in the old tables meanwhile comes after,
// and the sizes that operators see are those of this table.
void settle_sticky_tables(const table::Table& table, std::span<const StickyMove> moves,
                          std::span<std::atomic<uint32_t>> sizes);

}  // namespace sluice::engine
