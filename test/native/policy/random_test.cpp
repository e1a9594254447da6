// Random draws: by weight, and by weight among those that are usable. Also the generator itself.
#include "policy/random.h"

#include <doctest/doctest.h>

#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Candidates;

TEST_CASE("xoshiro128++ gives the numbers of its authors' program") {
  // State 1, 2, 3, 4: rotl(1 + 4, 7) + 1 = 641, and so on by the code at prng.di.unimi.it.
  Cursor cursor;
  for (uint32_t i = 0; i < 4; i++) cursor.random[i] = i + 1;
  CHECK(next_random(cursor) == 641);
  CHECK(next_random(cursor) == 1573767);
}

TEST_CASE("seeded cursors differ and never have the dead state") {
  for (uint64_t seed = 0; seed < 1000; seed++) {
    const Cursor a = seeded_cursor(seed);
    const Cursor b = seeded_cursor(seed + 1);
    CHECK((a.random[0] != b.random[0] || a.random[1] != b.random[1]));
    CHECK((a.random[0] | a.random[1] | a.random[2] | a.random[3]) != 0);
  }
}

void check_shares(std::span<const uint32_t> weights, uint64_t seed) {
  CAPTURE(seed);
  const Candidates candidates(weights);
  const Random policy(candidates);
  Cursor cursor = seeded_cursor(seed);
  const auto counts =
      test::counts_of(weights.size(), 2'000'000, [&] { return policy.pick(cursor, test::any); });
  CHECK(test::deviations(counts, weights) < 6);
}

TEST_CASE("random draws by weight") {
  const uint64_t seed = test::fresh_seed();
  std::mt19937_64 random(seed);
  check_shares(test::equal_weights(3), seed);
  check_shares(std::vector<uint32_t>{1, 65535}, seed);
  check_shares(std::vector<uint32_t>{1, 2, 3, 4, 0x8000, 65535}, seed);
  check_shares(test::random_weights(random, 100, 65535), seed);
  check_shares(test::random_weights(random, 5000, 65535), seed);
}

TEST_CASE("random shares are within 1 % of the weights over enough picks") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  const std::vector<uint32_t> weights{5, 3, 2};
  const Candidates candidates(weights);
  const Random policy(candidates);
  Cursor cursor = seeded_cursor(seed);
  // 1 % of the smallest share is 10 standard deviations of 4 million picks.
  const auto counts = test::counts_of(3, 4'000'000, [&] { return policy.pick(cursor, test::any); });
  for (size_t i = 0; i < 3; i++) {
    CHECK(static_cast<double>(counts[i]) == doctest::Approx(400'000 * weights[i]).epsilon(0.01));
  }
}

TEST_CASE("random keeps the proportions of those that remain usable, even of a few rare ones") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  const std::vector<uint32_t> weights{60000, 10, 20, 5000, 30};
  const Candidates candidates(weights);
  const Random policy(candidates);
  Cursor cursor = seeded_cursor(seed);
  const auto rare = [](uint32_t index) { return index != 0 && index != 3; };
  const auto counts = test::counts_of(5, 300'000, [&] { return policy.pick(cursor, rare); });
  CHECK(counts[0] == 0);
  CHECK(counts[3] == 0);
  CHECK(test::deviations(std::vector<uint64_t>{counts[1], counts[2], counts[4]},
                         std::vector<uint32_t>{10, 20, 30}) < 6);
}

}  // namespace
}  // namespace sluice::policy
