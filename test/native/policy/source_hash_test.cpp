// Source hash: a client keeps its target; what is unusable is replaced deterministically.
#include "policy/source_hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Candidates;

AddressKey client(uint64_t number) {
  return {.high = 0, .low = 0xffff'0a00'0000U + number};
}

TEST_CASE("source_hash spreads neighbouring addresses by weight") {
  const std::vector<uint32_t> weights{1, 2, 3, 4};
  const Candidates candidates(weights);
  const SourceHash policy(candidates);
  const auto counts = test::counts_of(4, 200'000, [&, number = uint64_t{0}]() mutable {
    return policy.pick(client(number++), test::any);
  });
  CHECK(test::deviations(counts, weights) < 6);
}

TEST_CASE("source_hash sends known clients where they have always gone") {
  const std::string names[] = {"redis-1", "redis-2", "redis-3", "redis-4"};
  std::vector<Candidate> candidates;
  for (uint32_t i = 0; i < 4; i++) candidates.push_back({.slot = i, .name = names[i]});
  const SourceHash policy{std::span<const Candidate>(candidates)};
  std::string picks;
  for (uint64_t number = 0; number < 32; number++) {
    picks += static_cast<char>('1' + policy.pick(client(number), test::any));
  }
  CHECK(picks == "23114241311314414142421133432332");
}

TEST_CASE("source_hash moves only the clients of an unusable target, and spreads them") {
  constexpr uint32_t kTargets = 8;
  const Candidates candidates(test::equal_weights(kTargets));
  const SourceHash policy(candidates);
  std::vector<uint64_t> moved(kTargets);
  for (uint64_t number = 0; number < 100'000; number++) {
    const uint32_t before = policy.pick(client(number), test::any);
    const uint32_t after = policy.pick(client(number), [](uint32_t index) { return index != 3; });
    if (before != 3) {
      REQUIRE(after == before);
    } else {
      moved.at(after)++;
    }
  }
  CHECK(moved[3] == 0);
  moved.erase(moved.begin() + 3);
  CHECK(test::deviations(moved, test::equal_weights(kTargets - 1)) < 6);
}

TEST_CASE("source_hash falls back the same way on an instance with another order") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const Candidates candidates(test::random_weights(random, 200, 5));
  std::vector<Candidate> shuffled = candidates.list();
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  const SourceHash policy(candidates);
  const SourceHash other{std::span<const Candidate>(shuffled)};
  // Two of 200 usable: mostly beyond the hashes, in the scan.
  const auto usable = [](const Candidate& candidate) {
    return candidate.slot == 17 || candidate.slot == 170;
  };
  std::vector<uint64_t> counts(200);
  for (uint64_t number = 0; number < 2000; number++) {
    const uint32_t here =
        policy.pick(client(number), [&](uint32_t i) { return usable(candidates.list()[i]); });
    const uint32_t there =
        other.pick(client(number), [&](uint32_t i) { return usable(shuffled[i]); });
    REQUIRE(candidates.list()[here].name == shuffled[there].name);
    counts[here]++;
  }
  CHECK(counts[17] > 500);
  CHECK(counts[170] > 500);
}

}  // namespace
}  // namespace sluice::policy
