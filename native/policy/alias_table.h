// AliasTable: draws an index with probability proportional to its weight in O(1), by one comparison
// (Walker 1977, built as in Vose 1991).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"
#include "policy/prng.h"

namespace sluice::policy {

class AliasTable {
 public:
  AliasTable() = default;
  // At least one weight must be above zero, unless there are none at all.
  explicit AliasTable(std::span<const uint32_t> weights);

  [[nodiscard]] bool empty() const { return columns_.empty(); }

  // Not for an empty table.
  [[nodiscard]] uint32_t draw(Cursor& cursor) const {
    const uint32_t index = scaled(next_random(cursor), static_cast<uint32_t>(columns_.size()));
    const Column& column = columns_[index];
    return next_random(cursor) < column.threshold ? index : column.alias;
  }

 private:
  struct Column {
    uint32_t threshold = 0;  // of 2^32: below it the column's own index is drawn
    uint32_t alias = 0;
  };
  std::vector<Column> columns_;
};

}  // namespace sluice::policy
