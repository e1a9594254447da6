// Hot and cold: the quickest of the cold, the least loaded when all are hot.
#include "policy/hot_cold.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Active;
using test::Candidates;

TEST_CASE("of three targets the quickest that is not hot is picked") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; round++) {
    const Candidates candidates(test::equal_weights(3));
    const HotCold policy(candidates);
    Active active(3);
    std::vector<uint32_t> loads;
    for (size_t i = 0; i < 3; i++) {
      active[i] = static_cast<uint32_t>(random() % 6);
      active.response_us(i) = static_cast<uint32_t>(1 + random() % 1000);
      loads.push_back(active[i]);
    }
    std::sort(loads.begin(), loads.end());
    Cursor cursor = seeded_cursor(random());
    // All three are drawn. Hot is who has more than the one in the middle.
    const uint32_t picked = policy.pick(cursor, active, test::any);
    REQUIRE(active[picked] <= loads[1]);
    for (size_t i = 0; i < 3; i++) {
      if (active[i] <= loads[1]) REQUIRE(active.response_us(picked) <= active.response_us(i));
    }
  }
}

TEST_CASE("equal loads leave the choice to the response times alone") {
  const Candidates candidates(test::equal_weights(2));
  const HotCold policy(candidates);
  Active active(2);
  active[0] = active[1] = 5;
  active.response_us(0) = 300;
  active.response_us(1) = 200;
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 100; i++) CHECK(policy.pick(cursor, active, test::any) == 1);
}

TEST_CASE("when all that are usable are hot the least loaded is picked, however slow") {
  const Candidates candidates(test::equal_weights(16));
  const HotCold policy(candidates);
  Active active(16);
  for (const uint32_t slot : {3U, 7U, 11U}) {
    active[slot] = 100 - slot;
    active.response_us(slot) = slot * 1000;
  }
  Cursor cursor = seeded_cursor(1);
  const auto hot = [](uint32_t index) { return index == 3 || index == 7 || index == 11; };
  for (int i = 0; i < 100; i++) CHECK(policy.pick(cursor, active, hot) == 11);
}

TEST_CASE("a quick target is filled until it is hot, and no further") {
  const Candidates candidates(test::equal_weights(50));
  const HotCold policy(candidates);
  Active active(50);
  for (size_t i = 0; i < 50; i++) active.response_us(i) = 1000;
  active.response_us(9) = 10;
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 5000; i++) active[policy.pick(cursor, active, test::any)]++;
  // 100 each in the mean; the quantile of the others holds the quick one near them.
  CHECK(active[9] > 100);
  CHECK(active[9] < 130);
}

TEST_CASE("a slow target gets less, but is not forgotten while others are hot") {
  const Candidates candidates(test::equal_weights(10));
  const HotCold policy(candidates);
  Active active(10);
  for (size_t i = 0; i < 10; i++) active.response_us(i) = 1000;
  active.response_us(4) = 50'000;
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 10'000; i++) active[policy.pick(cursor, active, test::any)]++;
  CHECK(active[4] < 500);
  CHECK(active[4] > 5);
}

TEST_CASE("targets of which nothing is known are filled by weight") {
  const std::vector<uint32_t> weights{1, 2, 3, 4};
  const Candidates candidates(weights);
  const HotCold policy(candidates);
  Active active(4);
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 10'000; i++) active[policy.pick(cursor, active, test::any)]++;
  for (size_t i = 0; i < 4; i++) {
    CHECK(std::abs(static_cast<double>(active[i]) - 1000.0 * weights[i]) < 50);
  }
}

TEST_CASE("hot_cold tells the scores of those that it has drawn") {
  struct Listening {
    mutable std::vector<double> scores = std::vector<double>(3, -1);
    bool operator()(uint32_t /*index*/) const { return true; }
    void note_score(uint32_t index, double score) const { scores.at(index) = score; }
  };
  const Candidates candidates(test::equal_weights(3));
  Active active(3);
  for (size_t i = 0; i < 3; i++) active.response_us(i) = static_cast<uint32_t>(i + 1);
  active[2] = 9;
  Cursor cursor = seeded_cursor(1);
  const Listening listening;
  CHECK(HotCold(candidates).pick(cursor, active, listening) == 0);
  // The last one is hot: judged by its load.
  CHECK(listening.scores == std::vector<double>{1, 2, 9});
}

}  // namespace
}  // namespace sluice::policy
