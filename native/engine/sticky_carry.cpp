// By pool slot, from the published table to the next.
#include "engine/sticky_carry.h"

#include <algorithm>

namespace sluice::engine {

bool carry_sticky_tables(table::Table& next, const table::Table* current, uint64_t now_ms,
                         std::vector<StickyMove>& moves) {
  std::vector<std::shared_ptr<sticky::StickyTable>> by_slot(shared::kPoolSlotsMax);
  if (current != nullptr) {
    for (const table::Pool& pool : current->pools) by_slot[pool.slot] = pool.stickiness.entries;
  }
  for (table::Pool& pool : next.pools) {
    table::Stickiness& stickiness = pool.stickiness;
    if (stickiness.capacity == 0) continue;
    const std::shared_ptr<sticky::StickyTable>& before = by_slot[pool.slot];
    if (before != nullptr && before->capacity() == stickiness.capacity) {
      stickiness.entries = before;
      continue;
    }
    stickiness.entries = sticky::StickyTable::create(stickiness.capacity);
    if (stickiness.entries == nullptr) return false;
    if (before == nullptr) continue;
    stickiness.entries->restore(before->saved(0));
    moves.push_back({before, stickiness.entries, now_ms});
  }
  return true;
}

void settle_sticky_tables(const table::Table& table, std::span<const StickyMove> moves,
                          std::span<std::atomic<uint32_t>> sizes) {
  // A worker's clock stands still for a turn: what it wrote after the copy may bear an earlier
  // time.
  constexpr uint64_t kTurnMs = 1000;
  for (const StickyMove& move : moves) {
    move.to->restore(move.from->saved(move.copied_ms - std::min(move.copied_ms, kTurnMs)));
  }
  // Relaxed: numbers for the operator.
  for (std::atomic<uint32_t>& size : sizes) {
    if (size.load(std::memory_order_relaxed) != 0) size.store(0, std::memory_order_relaxed);
  }
  for (const table::Pool& pool : table.pools) {
    if (pool.stickiness.entries == nullptr) continue;
    sizes[pool.slot].store(pool.stickiness.entries->size(), std::memory_order_relaxed);
  }
}

}  // namespace sluice::engine
