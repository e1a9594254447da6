// Round robin: strict turns, and fair turns when some candidates are unusable.
#include "policy/round_robin.h"

#include <doctest/doctest.h>

#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Candidates;

TEST_CASE("round_robin gives every candidate its turn in the order of the file") {
  const Candidates candidates(test::equal_weights(5));
  const RoundRobin policy(candidates);
  Cursor cursor = seeded_cursor(7);
  const uint32_t first = policy.pick(cursor, test::any);
  for (uint32_t i = 1; i < 20; i++) CHECK(policy.pick(cursor, test::any) == (first + i) % 5);
}

TEST_CASE("round_robin ignores weights") {
  const Candidates candidates(std::vector<uint32_t>{1, 65535, 7});
  const RoundRobin policy(candidates);
  Cursor cursor = seeded_cursor(7);
  const auto counts = test::counts_of(3, 300, [&] { return policy.pick(cursor, test::any); });
  CHECK(counts == std::vector<uint64_t>{100, 100, 100});
}

TEST_CASE("round_robin spreads the turns of an unusable candidate over all others") {
  const Candidates candidates(test::equal_weights(5));
  const RoundRobin policy(candidates);
  Cursor cursor = seeded_cursor(7);
  const auto counts = test::counts_of(
      5, 400, [&] { return policy.pick(cursor, [](uint32_t index) { return index != 2; }); });
  CHECK(counts == std::vector<uint64_t>{100, 100, 0, 100, 100});
}

TEST_CASE("round_robin goes on after a table with fewer candidates") {
  const Candidates many(test::equal_weights(100));
  const Candidates few(test::equal_weights(3));
  Cursor cursor = seeded_cursor(7);
  CHECK(RoundRobin(many).pick(cursor, test::any) < 100);
  cursor.position = 99;
  CHECK(RoundRobin(few).pick(cursor, test::any) == 0);
  CHECK(RoundRobin(few).pick(cursor, test::any) == 1);
}

TEST_CASE("workers begin at different places") {
  const Candidates candidates(test::equal_weights(16));
  const RoundRobin policy(candidates);
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  const auto counts = test::counts_of(16, 16000, [&, worker = seed]() mutable {
    Cursor cursor = seeded_cursor(worker++);
    return policy.pick(cursor, test::any);
  });
  CHECK(test::deviations(counts, test::equal_weights(16)) < 6);
}

}  // namespace
}  // namespace sluice::policy
