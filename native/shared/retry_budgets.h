// RetryBudgets: what share of a pool's new connections may be retries, over all workers. A pool
// that is down or overloaded must not be knocked at several times by each of its clients.
//
// The engine owns it and a pool's part goes by its slot, so a reload neither fills nor empties a
// budget. A pool that gets the slot of one that has left finds that one's last seconds in it.
//
// The window is the last ten seconds, as in Finagle's RetryBudget, in buckets of one second. Time
// is the caller's, so that tests have their own.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "shared/layout.h"

namespace sluice::shared {

// Both 0: there is no budget.
struct RetryRules {
  uint32_t percent = 0;         // of the new connections of the window
  uint32_t min_per_second = 0;  // granted whatever the share is

  [[nodiscard]] bool bounded() const { return percent > 0 || min_per_second > 0; }
};

class RetryBudgets {
 public:
  static constexpr uint32_t kWindowSeconds = 10;

  RetryBudgets();
  RetryBudgets(const RetryBudgets&) = delete;
  RetryBudgets& operator=(const RetryBudgets&) = delete;

  // A client has come for the pool. Only where the pool has a budget: it is a write to memory that
  // all workers write.
  void note_connection(uint32_t pool, uint64_t now_ns);
  // May one more connect of the pool be a retry? It counts as one from here on if so.
  [[nodiscard]] bool take(uint32_t pool, const RetryRules& rules, uint64_t now_ns);

 private:
  // A count of one second: the second in the upper half, so that whoever finds an old one begins
  // anew without a lock. Writers: every worker; reader: who takes. Relaxed: it is a count that
  // orders nothing. Of several workers that want the last retry of a second one gets it; at the
  // turn of a second each of them may get one.
  using Bucket = std::atomic<uint64_t>;
  struct alignas(kCacheLineBytes) PoolWindow {
    std::array<Bucket, kWindowSeconds> connections{};
    std::array<Bucket, kWindowSeconds> retries{};
  };

  // Counts one more in `second`, if `admits(count before)`.
  template <typename Admits>
  static bool count_up(Bucket& bucket, uint32_t second, const Admits& admits);
  static uint64_t sum_of(const std::array<Bucket, kWindowSeconds>& buckets, uint32_t second);

  std::unique_ptr<PoolWindow[]> pools_;
};

}  // namespace sluice::shared
