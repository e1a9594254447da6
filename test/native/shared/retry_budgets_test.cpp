// What share of new connections may be retries, over ten seconds and all workers.
#include "shared/retry_budgets.h"

#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "policy/prng.h"
#include "support/seed.h"

namespace sluice::test {
namespace {

using shared::RetryBudgets;
using shared::RetryRules;

constexpr uint32_t kPool = 5;
constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kBegin = 1000 * kSecondNs;

uint32_t take_all(RetryBudgets& budgets, const RetryRules& rules, uint64_t now_ns) {
  uint32_t taken = 0;
  while (taken < 1'000'000 && budgets.take(kPool, rules, now_ns)) taken++;
  return taken;
}

void note(RetryBudgets& budgets, uint32_t connections, uint64_t now_ns) {
  for (uint32_t i = 0; i < connections; i++) budgets.note_connection(kPool, now_ns);
}

TEST_CASE("without a budget every retry is allowed, and none is counted") {
  RetryBudgets budgets;
  for (int i = 0; i < 1000; i++) CHECK(budgets.take(kPool, {}, kBegin));
  CHECK(take_all(budgets, {.percent = 0, .min_per_second = 3}, kBegin) == 3);
}

TEST_CASE("retries are at most a share of the connections of the last ten seconds") {
  RetryBudgets budgets;
  const RetryRules rules{.percent = 20, .min_per_second = 0};
  CHECK(take_all(budgets, rules, kBegin) == 0);
  note(budgets, 100, kBegin);
  CHECK(take_all(budgets, rules, kBegin) == 20);
  note(budgets, 9, kBegin + 5 * kSecondNs);
  CHECK(take_all(budgets, rules, kBegin + 5 * kSecondNs) == 1);
  CHECK(take_all(budgets, rules, kBegin + 9 * kSecondNs) == 0);
  // The first hundred have left the window, and so have their twenty retries.
  note(budgets, 50, kBegin + 10 * kSecondNs);
  CHECK(take_all(budgets, rules, kBegin + 10 * kSecondNs) == 10);
}

TEST_CASE("a few retries per second are allowed whatever the share is") {
  RetryBudgets budgets;
  const RetryRules rules{.percent = 10, .min_per_second = 4};
  for (uint64_t second = 0; second < 30; second++) {
    CHECK(take_all(budgets, rules, kBegin + second * kSecondNs) == 4);
  }
  // They count: the share is of both together.
  note(budgets, 1000, kBegin + 30 * kSecondNs);
  CHECK(take_all(budgets, rules, kBegin + 30 * kSecondNs) == 100 - 9 * 4);
}

TEST_CASE("each pool has a budget of its own") {
  RetryBudgets budgets;
  const RetryRules rules{.percent = 100, .min_per_second = 0};
  note(budgets, 1, kBegin);
  CHECK_FALSE(budgets.take(kPool + 1, rules, kBegin));
  CHECK(budgets.take(kPool, rules, kBegin));
}

TEST_CASE("a worker whose clock stands behind spends no retry of another second") {
  RetryBudgets budgets;
  const RetryRules rules{.percent = 50, .min_per_second = 1};
  note(budgets, 4, kBegin + 20 * kSecondNs);
  // The same bucket, a round earlier.
  budgets.note_connection(kPool, kBegin + 10 * kSecondNs);
  CHECK(take_all(budgets, rules, kBegin + 20 * kSecondNs) == 2);
}

// The same by hand: every event kept, and counted anew for each question.
TEST_CASE("any run of connections and retries keeps within the window's share or the minimum") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  policy::Cursor random = policy::seeded_cursor(seed);
  for (int run = 0; run < 200; run++) {
    RetryBudgets budgets;
    const RetryRules rules{.percent = policy::scaled(policy::next_random(random), 101),
                           .min_per_second = policy::scaled(policy::next_random(random), 4)};
    if (!rules.bounded()) continue;
    std::deque<uint64_t> connections;
    std::deque<uint64_t> retries;
    uint64_t now_ns = kBegin;
    for (int step = 0; step < 400; step++) {
      now_ns += policy::scaled(policy::next_random(random), 600'000'000);
      const uint64_t second = now_ns / kSecondNs;
      const auto in_window = [&](const std::deque<uint64_t>& events) {
        uint64_t count = 0;
        for (const uint64_t at : events) count += at + RetryBudgets::kWindowSeconds > second;
        return count;
      };
      if (policy::scaled(policy::next_random(random), 2) == 0) {
        budgets.note_connection(kPool, now_ns);
        connections.push_back(second);
        continue;
      }
      uint64_t this_second = 0;
      for (const uint64_t at : retries) this_second += at == second;
      const bool allowed = this_second < rules.min_per_second ||
                           in_window(retries) < in_window(connections) * rules.percent / 100;
      REQUIRE(budgets.take(kPool, rules, now_ns) == allowed);
      if (allowed) retries.push_back(second);
    }
  }
}

TEST_CASE("of many workers that retry at once no more get through than one would") {
  RetryBudgets budgets;
  const RetryRules rules{.percent = 10, .min_per_second = 7};
  std::atomic<uint32_t> taken{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] { note(budgets, 2500, kBegin); });
  }
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] {
      for (int k = 0; k < 2000; k++) {
        if (budgets.take(kPool, rules, kBegin)) taken++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(taken.load() == 1000);
}

}  // namespace
}  // namespace sluice::test
