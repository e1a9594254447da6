// Builds the alias table: columns of equal height, each filled by at most two indexes.
#include "policy/alias_table.h"

#include <numeric>

namespace sluice::policy {

AliasTable::AliasTable(std::span<const uint32_t> weights) : columns_(weights.size()) {
  constexpr double kFull = 4294967296.0;
  const auto count = static_cast<uint32_t>(weights.size());
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<double> height(count);  // 1 = the mean
  std::vector<uint32_t> small;
  std::vector<uint32_t> large;
  for (uint32_t i = 0; i < count; i++) {
    height[i] = weights[i] * static_cast<double>(count) / total;
    (height[i] < 1.0 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const uint32_t low = small.back();
    const uint32_t high = large.back();
    small.pop_back();
    columns_[low] = {static_cast<uint32_t>(height[low] * kFull), high};
    height[high] -= 1.0 - height[low];
    if (height[high] < 1.0) {
      large.pop_back();
      small.push_back(high);
    }
  }
  // What remains is of height 1 but for rounding: its alias is itself.
  for (const uint32_t index : large) columns_[index] = {UINT32_MAX, index};
  for (const uint32_t index : small) columns_[index] = {UINT32_MAX, index};
}

}  // namespace sluice::policy
