// Least connections: the smallest (active + 1) / weight, and fair turns among equals.
#include "policy/least_connections.h"

#include <doctest/doctest.h>

#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Active;
using test::Candidates;

TEST_CASE("least_connections picks the least (active + 1) / weight") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; round++) {
    const size_t count = 1 + random() % 40;
    const auto weights = test::random_weights(random, count, round % 2 == 0 ? 3 : 65535);
    const Candidates candidates(weights);
    Active active(count);
    for (size_t i = 0; i < count; i++) active[i] = static_cast<uint32_t>(random() % 50);
    Cursor cursor = seeded_cursor(random());
    const uint32_t picked = LeastConnections(candidates).pick(cursor, active, test::any);
    for (size_t i = 0; i < count; i++) {
      REQUIRE(uint64_t{active[picked] + 1} * weights[i] <=
              uint64_t{active[i] + 1} * weights[picked]);
    }
  }
}

TEST_CASE("least_connections ends at an idle candidate as if it had looked at all") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 500; round++) {
    const size_t count = 1 + random() % 40;
    const Candidates candidates(test::random_weights(random, count, 1 + random() % 3));
    const LeastConnections policy(candidates);
    Active active(count);
    // Hardly any idle, or nearly all.
    const uint32_t busy = 1 + random() % 8;
    Cursor cursor = seeded_cursor(random());
    Cursor whole = cursor;
    for (int i = 0; i < 60; i++) {
      for (size_t k = 0; k < count; k++) active[k] = random() % 8 < busy ? random() % 4 : 0;
      // Who asks for scores gets those of all.
      const test::ScoreKeeper keeper(count);
      REQUIRE(policy.pick(cursor, active, test::any) == policy.pick(whole, active, keeper));
      REQUIRE(cursor.position == whole.position);
      for (const double score : keeper.scores) REQUIRE(score > 0);
    }
  }
}

TEST_CASE("least_connections compares the largest counts and weights without overflow") {
  const Candidates candidates(std::vector<uint32_t>{65535, 1});
  Active active(2);
  active[0] = UINT32_MAX;
  active[1] = UINT32_MAX;
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 4; i++) {
    CHECK(LeastConnections(candidates).pick(cursor, active, test::any) == 0);
  }
}

TEST_CASE("least_connections gives equals equal shares, also beside busier ones") {
  const Candidates candidates(test::equal_weights(6));
  Active active(6);
  for (const uint32_t busy : {1U, 2U, 4U}) active[busy] = 9;
  const LeastConnections policy(candidates);
  Cursor cursor = seeded_cursor(1);
  const auto counts =
      test::counts_of(6, 300, [&] { return policy.pick(cursor, active, test::any); });
  CHECK(counts == std::vector<uint64_t>{100, 0, 0, 100, 0, 100});
}

TEST_CASE("least_connections fills targets by weight while connections stay open") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto weights = test::random_weights(random, 20, 100);
  const Candidates candidates(weights);
  const LeastConnections policy(candidates);
  Active active(20);
  Cursor cursor = seeded_cursor(seed);
  for (int i = 0; i < 100'000; i++) active[policy.pick(cursor, active, test::any)]++;
  for (size_t i = 0; i < 20; i++) {
    const double expected = 100'000 * weights[i] / test::sum_of(weights);
    CHECK(std::abs(active[i] - expected) <= std::max(1.0, 0.01 * expected) + 1);
  }
}

TEST_CASE("least_connections passes over the least loaded when it is unusable") {
  const Candidates candidates(test::equal_weights(3));
  Active active(3);
  active[1] = 5;
  active[2] = 3;
  Cursor cursor = seeded_cursor(1);
  CHECK(LeastConnections(candidates).pick(cursor, active, [](uint32_t i) { return i != 0; }) == 2);
}

TEST_CASE("least_connections reads the count of the candidate's slot, not of its place") {
  const Candidate candidates[] = {{.slot = 7}, {.slot = 2}};
  Active active(8);
  active[7] = 1;
  Cursor cursor = seeded_cursor(1);
  CHECK(LeastConnections(candidates).pick(cursor, active, test::any) == 1);
}

TEST_CASE("least_connections tells by what it has judged each candidate") {
  const Candidates candidates(std::vector<uint32_t>{1, 2, 4});
  Active active(3);
  for (size_t i = 0; i < 3; i++) active[i] = 7;
  Cursor cursor = seeded_cursor(1);
  const test::ScoreKeeper keeper(3);
  CHECK(LeastConnections(candidates).pick(cursor, active, keeper) == 2);
  CHECK(keeper.scores == std::vector<double>{8, 4, 2});
}

}  // namespace
}  // namespace sluice::policy
