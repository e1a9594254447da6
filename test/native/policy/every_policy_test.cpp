// What holds for every policy: it picks usable candidates only, and one whenever there is one.
#include <doctest/doctest.h>

#include "policy/least_connections.h"
#include "policy/power_of_two.h"
#include "policy/random.h"
#include "policy/round_robin.h"
#include "policy/source_hash.h"
#include "policy/weighted_round_robin.h"
#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Active;
using test::Candidates;

// One shape for all: each policy takes of this what it needs.
template <typename Policy, typename Usable>
uint32_t pick(const Policy& policy, Cursor& cursor, const Active& active, const Usable& usable) {
  if constexpr (requires { policy.pick(cursor, ActiveCounts(active), usable); }) {
    return policy.pick(cursor, active, usable);
  } else if constexpr (requires { policy.pick(cursor, usable); }) {
    return policy.pick(cursor, usable);
  } else {
    return policy.pick(AddressKey{.high = next_random(cursor), .low = 1}, usable);
  }
}

#define SLUICE_EVERY_POLICY \
  RoundRobin, WeightedRoundRobin, LeastConnections, Random, PowerOfTwo, SourceHash

TEST_CASE_TEMPLATE("a policy picks usable candidates only, and one whenever there is one", Policy,
                   SLUICE_EVERY_POLICY) {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; round++) {
    const size_t count = 1 + random() % (round % 10 == 0 ? 700 : 20);
    const Candidates candidates(
        test::random_weights(random, count, round % 3 == 0 ? 65535 : 1 + random() % 5));
    const Policy policy{std::span<const Candidate>(candidates)};
    Active active(count);
    std::vector<bool> usable(count);
    const uint64_t usable_in_100 = random() % 101;
    Cursor cursor = seeded_cursor(random());
    for (int step = 0; step < 100; step++) {
      bool some = false;
      for (size_t i = 0; i < count; i++) {
        active[i] = static_cast<uint32_t>(random() % 10);
        usable[i] = random() % 100 < usable_in_100;
        some = some || usable[i];
      }
      const uint32_t picked =
          pick(policy, cursor, active, [&](uint32_t i) { return usable.at(i); });
      REQUIRE((picked != kNoPick) == some);
      if (some) REQUIRE(usable.at(picked));
    }
  }
}

TEST_CASE_TEMPLATE("a policy picks nothing when nothing is usable", Policy, SLUICE_EVERY_POLICY) {
  const Candidates candidates(std::vector<uint32_t>{1, 65535, 3});
  const Policy policy{std::span<const Candidate>(candidates)};
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 1000; i++) {
    CHECK(pick(policy, cursor, Active(3), [](uint32_t) { return false; }) == kNoPick);
  }
}

TEST_CASE_TEMPLATE("a policy over no candidates picks nothing", Policy, SLUICE_EVERY_POLICY) {
  const Policy policy{std::span<const Candidate>()};
  Cursor cursor = seeded_cursor(1);
  CHECK(pick(policy, cursor, Active(1), test::any) == kNoPick);
}

TEST_CASE_TEMPLATE("a policy over one candidate picks it always", Policy, SLUICE_EVERY_POLICY) {
  const Candidates candidates(std::vector<uint32_t>{65535});
  const Policy policy{std::span<const Candidate>(candidates)};
  Active active(1);
  active[0] = 1'000'000;
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 1000; i++) CHECK(pick(policy, cursor, active, test::any) == 0);
}

TEST_CASE_TEMPLATE("a policy finds the last usable of 5000 candidates", Policy,
                   SLUICE_EVERY_POLICY) {
  std::mt19937_64 random(5);
  const Candidates candidates(test::random_weights(random, 5000, 65535));
  const Policy policy{std::span<const Candidate>(candidates)};
  const Active active(5000);
  Cursor cursor = seeded_cursor(1);
  for (uint32_t last = 0; last < 5000; last += 499) {
    CHECK(pick(policy, cursor, active, [&](uint32_t i) { return i == last; }) == last);
  }
}

TEST_CASE_TEMPLATE("a policy reaches every one of 5000 equal candidates", Policy,
                   SLUICE_EVERY_POLICY) {
  const Candidates candidates(test::equal_weights(5000));
  const Policy policy{std::span<const Candidate>(candidates)};
  Active active(5000);
  Cursor cursor = seeded_cursor(1);
  // A random policy misses one of 5000 in 100 000 picks with a probability of 1e-5. The policy that
  // looks at all of them needs no luck, and takes its time.
  constexpr int kPicks = std::is_same_v<Policy, LeastConnections> ? 5000 : 100'000;
  for (int i = 0; i < kPicks; i++) active[pick(policy, cursor, active, test::any)]++;
  for (size_t i = 0; i < 5000; i++) REQUIRE(active[i] > 0);
}

}  // namespace
}  // namespace sluice::policy
