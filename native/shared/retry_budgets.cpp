// Counting in seconds, and whether one more is within the share.
#include "shared/retry_budgets.h"

namespace sluice::shared {

namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint32_t kSecondShift = 32;

// From 1 on: an untouched bucket is of no second.
uint32_t second_of(uint64_t now_ns) {
  return static_cast<uint32_t>(now_ns / kSecondNs) + 1;
}
uint32_t second_in(uint64_t bucket) {
  return static_cast<uint32_t>(bucket >> kSecondShift);
}
uint32_t count_in(uint64_t bucket) {
  return static_cast<uint32_t>(bucket);
}

}  // namespace

RetryBudgets::RetryBudgets() : pools_(std::make_unique<PoolWindow[]>(kPoolSlotsMax)) {}

template <typename Admits>
bool RetryBudgets::count_up(Bucket& bucket, uint32_t second, const Admits& admits) {
  uint64_t seen = bucket.load(std::memory_order_relaxed);
  // Ends: each failure means that another worker has counted.
  while (true) {
    const uint32_t before = second_in(seen) == second ? count_in(seen) : 0;
    if (!admits(before)) return false;
    // Of a later second: this worker's turn of the loop has lasted for longer than the window.
    if (second_in(seen) > second) return true;
    const uint64_t next = (uint64_t{second} << kSecondShift) | (before + 1);
    if (bucket.compare_exchange_weak(seen, next, std::memory_order_relaxed)) return true;
  }
}

uint64_t RetryBudgets::sum_of(const std::array<Bucket, kWindowSeconds>& buckets, uint32_t second) {
  uint64_t sum = 0;
  for (const Bucket& bucket : buckets) {
    const uint64_t seen = bucket.load(std::memory_order_relaxed);
    // One of a second to come is another worker's, whose clock is ahead.
    if (second_in(seen) != 0 && second_in(seen) + kWindowSeconds > second) sum += count_in(seen);
  }
  return sum;
}

void RetryBudgets::note_connection(uint32_t pool, uint64_t now_ns) {
  const uint32_t second = second_of(now_ns);
  count_up(pools_[pool].connections[second % kWindowSeconds], second,
           [](uint32_t) { return true; });
}

bool RetryBudgets::take(uint32_t pool, const RetryRules& rules, uint64_t now_ns) {
  if (!rules.bounded()) return true;
  const uint32_t second = second_of(now_ns);
  PoolWindow& window = pools_[pool];
  return count_up(window.retries[second % kWindowSeconds], second, [&](uint32_t before) {
    if (before < rules.min_per_second) return true;
    const uint64_t allowed = sum_of(window.connections, second) * rules.percent / 100;
    return sum_of(window.retries, second) < allowed;
  });
}

}  // namespace sluice::shared
