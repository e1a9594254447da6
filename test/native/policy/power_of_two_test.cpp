// Power of two choices: the better of two different draws.
#include "policy/power_of_two.h"

#include <doctest/doctest.h>

#include "policy/random.h"
#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Active;
using test::Candidates;

TEST_CASE("power_of_two always takes the less loaded of two candidates") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  const Candidates candidates(test::equal_weights(2));
  const PowerOfTwo policy(candidates);
  Active active(2);
  active[0] = 1;
  Cursor cursor = seeded_cursor(seed);
  for (int i = 0; i < 10'000; i++) REQUIRE(policy.pick(cursor, active, test::any) == 1);
}

TEST_CASE("power_of_two never takes the most loaded of several") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto weights = test::random_weights(random, 12, 65535);
  const Candidates candidates(weights);
  const PowerOfTwo policy(candidates);
  Active active(12);
  for (size_t i = 0; i < 12; i++) active[i] = weights[i];
  active[5] = weights[5] + 1;
  Cursor cursor = seeded_cursor(seed);
  for (int i = 0; i < 10'000; i++) REQUIRE(policy.pick(cursor, active, test::any) != 5);
}

TEST_CASE("power_of_two compares by active per weight") {
  const Candidates candidates(std::vector<uint32_t>{10, 1});
  const PowerOfTwo policy(candidates);
  Active active(2);
  Cursor cursor = seeded_cursor(1);
  active[0] = 9;
  active[1] = 1;
  for (int i = 0; i < 100; i++) REQUIRE(policy.pick(cursor, active, test::any) == 0);
  active[0] = 11;
  for (int i = 0; i < 100; i++) REQUIRE(policy.pick(cursor, active, test::any) == 1);
}

TEST_CASE("power_of_two draws by weight while all are idle") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  const std::vector<uint32_t> weights{5, 3, 2};
  const Candidates candidates(weights);
  const PowerOfTwo policy(candidates);
  const Active active(3);
  Cursor cursor = seeded_cursor(seed);
  const auto counts =
      test::counts_of(3, 300'000, [&] { return policy.pick(cursor, active, test::any); });
  CHECK(test::deviations(counts, weights) < 6);
}

// n connections on n targets: the fullest has ln ln n / ln 2 + O(1) with two choices, and about
// ln n / ln ln n with one.
TEST_CASE("power_of_two spreads far better than one random choice") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  constexpr size_t kTargets = 5000;
  const Candidates candidates(test::equal_weights(kTargets));
  const PowerOfTwo policy(candidates);
  Active active(kTargets);
  Cursor cursor = seeded_cursor(seed);
  uint32_t fullest = 0;
  for (size_t i = 0; i < kTargets; i++) {
    std::atomic<uint32_t>& picked = active[policy.pick(cursor, active, test::any)];
    picked++;
    fullest = std::max(fullest, picked.load());
  }
  CHECK(fullest <= 5);
}

TEST_CASE("power_of_two finds a second choice beside a weight that outweighs all others") {
  const Candidates candidates(std::vector<uint32_t>{65535, 1, 1, 1});
  const PowerOfTwo policy(candidates);
  Active active(4);
  active[0] = 65536;
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 1000; i++) REQUIRE(policy.pick(cursor, active, test::any) != 0);
}

TEST_CASE("power_of_two tells by what it has judged the two that it has drawn") {
  const Candidates candidates(std::vector<uint32_t>{1, 1, 1, 1});
  const PowerOfTwo policy(candidates);
  Active active(4);
  for (uint32_t i = 0; i < 4; i++) active[i] = i + 10;
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 100; i++) {
    const test::ScoreKeeper keeper(4);
    const uint32_t picked = policy.pick(cursor, active, keeper);
    REQUIRE(std::ranges::count(keeper.scores, -1) == 2);
    REQUIRE(keeper.scores[picked] == picked + 10);
    for (const double score : keeper.scores)
      REQUIRE((score == -1 || keeper.scores[picked] <= score));
  }
}

}  // namespace
}  // namespace sluice::policy
