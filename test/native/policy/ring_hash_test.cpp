// The ring: shares by weight, its bound, and lookups that agree with a plain search.
#include "policy/ring_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "policy/stable_hash.h"
#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Candidates;

std::vector<uint64_t> shares_of(const HashRing& ring, size_t count, uint64_t keys) {
  return test::counts_of(
      count, keys, [&, number = uint64_t{0}]() mutable { return ring.lookup(mix64(number++)); });
}

TEST_CASE("targets own parts of the ring by weight, a few percent off") {
  const std::vector<uint32_t> weights{4, 8, 16, 16, 20};
  const Candidates candidates(weights);
  const auto shares = shares_of(HashRing(candidates), 5, 1'000'000);
  for (size_t i = 0; i < 5; i++) {
    const double expected = 1'000'000 * weights[i] / test::sum_of(weights);
    const double points = 1024.0 * weights[i] / 20;
    // Gaps between points are exponential: 5 standard deviations of their sum.
    CHECK(std::abs(static_cast<double>(shares[i]) - expected) < 5 * expected / std::sqrt(points));
  }
}

TEST_CASE("a lookup finds the first point at or behind a hash, and wraps around") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const size_t count : {1, 2, 5, 3000}) {
    const Candidates candidates(test::random_weights(random, count, 3));
    const HashRing ring(candidates, {.weight_max = 3});
    // Where the owner changes, found by halving, is a point: its own hash belongs to its owner,
    // and the hash behind it to the next.
    CHECK(ring.lookup(0) < count);
    CHECK(ring.lookup(UINT64_MAX) < count);
    for (int round = 0; round < 200; round++) {
      uint64_t low = random();
      uint64_t high = low + (uint64_t{1} << 52U);
      if (high < low || ring.lookup(low) == ring.lookup(high)) continue;
      const uint32_t owner = ring.lookup(low);
      while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        (ring.lookup(middle) == owner ? low : high) = middle;
      }
      REQUIRE(ring.lookup(low) == owner);
      REQUIRE(ring.lookup(high) != owner);
      // `low` is a point of its owner: one of those that its name gives.
      const uint64_t identity = seeded_hash(name_hash(candidates.list()[owner].name), 0x72696e67);
      bool found = false;
      for (uint64_t number = 0; number < 1024 && !found; number++) {
        found = seeded_hash(identity, number) == low;
      }
      CHECK(found);
    }
  }
}

TEST_CASE("a ring is bounded, whatever the number of targets") {
  const auto size = [](size_t count, uint32_t configured = 0) {
    const Candidates candidates(test::equal_weights(count));
    return HashRing(candidates, {.configured = configured}).size();
  };
  CHECK(size(1) == 1024);
  CHECK(size(1024) == 1U << 20U);
  CHECK(size(1025) == 1025 * 512);
  CHECK(size(16384) == 1U << 20U);
  // By the config's number, so that an unhealthy target takes no points from the others.
  CHECK(size(1, 16384) == 64);
}

TEST_CASE("a weight of 1 beside 65535 has a point of its own") {
  const Candidates candidates(std::vector<uint32_t>{65535, 1});
  CHECK(HashRing(candidates).size() == 1025);
}

TEST_CASE("a ring of 5000 targets is built quickly") {
  const Candidates candidates(test::equal_weights(5000));
  const auto start = std::chrono::steady_clock::now();
  const HashRing ring(candidates);
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  CHECK(ring.size() == 5000 * 128);
  MESSAGE("5000 targets: " << taken.count() << " ms");
}

}  // namespace
}  // namespace sluice::policy
