// Finds listeners and targets by slot.
#include "table/table.h"

#include "shared/layout.h"

namespace sluice::table {

namespace {

template <typename Item>
std::vector<uint32_t> positions_by_slot(const std::vector<Item>& items) {
  std::vector<uint32_t> positions;
  for (uint32_t i = 0; i < items.size(); i++) {
    if (items[i].slot >= positions.size()) positions.resize(items[i].slot + 1, shared::kNoSlot);
    positions[items[i].slot] = i;
  }
  return positions;
}

template <typename Item>
const Item* item_at(uint32_t slot, const std::vector<uint32_t>& positions,
                    const std::vector<Item>& items) {
  if (slot >= positions.size() || positions[slot] == shared::kNoSlot) return nullptr;
  return &items[positions[slot]];
}

}  // namespace

const Listener* Table::listener_at(uint32_t slot) const {
  return item_at(slot, listener_by_slot_, listeners);
}

const Target* Table::target_at(uint32_t slot) const {
  return item_at(slot, target_by_slot_, targets);
}

void Table::index_slots() {
  listener_by_slot_ = positions_by_slot(listeners);
  target_by_slot_ = positions_by_slot(targets);
}

}  // namespace sluice::table
