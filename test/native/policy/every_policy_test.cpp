// What holds for every policy: it picks usable candidates only, and one whenever there is one.
#include <doctest/doctest.h>

#include "policy/policies.h"
#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Active;
using test::Candidates;

template <typename Policy, typename Usable>
uint32_t pick(const Policy& policy, Cursor& cursor, const Active& active, const Usable& usable) {
  const Key key{.high = next_random(cursor), .low = 1};
  return pick_with(policy, {.key = key, .cursor = cursor, .signals = active}, usable);
}

struct BoundedRingHash : RingHash {
  explicit BoundedRingHash(std::span<const Candidate> candidates)
      : RingHash(candidates, {.bounded_load = 125}) {}
};
struct BoundedMaglev : Maglev {
  explicit BoundedMaglev(std::span<const Candidate> candidates)
      : Maglev(candidates, {.bounded_load = 125}) {}
};

#define X(name, number, Class) Class,
#define SLUICE_EVERY_POLICY SLUICE_POLICIES(X) BoundedRingHash, BoundedMaglev

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
        active.response_us(i) = static_cast<uint32_t>(random() % 4 * (random() % 5000));
        active.bandwidth(i).bytes_per_s = random() % 3 * 1000;
        active.bandwidth(i).active = static_cast<uint32_t>(random() % 10);
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

template <typename Policy, typename... Others>
inline constexpr bool kIsOneOf = (std::is_same_v<Policy, Others> || ...);

TEST_CASE_TEMPLATE("a policy reaches every one of many equal candidates", Policy,
                   SLUICE_EVERY_POLICY) {
  // A random policy that has made 20 picks for each candidate misses one of 5000 with a probability
  // of 1e-5. Policies that look at all of them need no luck, but take their time; `first` gets to
  // the last when all before are full.
  constexpr bool kBounded = kIsOneOf<Policy, BoundedRingHash, BoundedMaglev>;
  constexpr bool kLooksAtAll =
      kIsOneOf<Policy, LeastConnections, LeastResponseTime, LeastBandwidth, First>;
  constexpr size_t kCount = kBounded ? 500 : 5000;
  constexpr uint32_t kLimit = kIsOneOf<Policy, First> ? 1 : UINT32_MAX;
  const Candidates candidates(test::equal_weights(kCount));
  const Policy policy{std::span<const Candidate>(candidates)};
  Active active(kCount);
  Cursor cursor = seeded_cursor(1);
  for (size_t i = 0; i < kCount * (kLooksAtAll ? 1 : 20); i++) {
    active[pick(policy, cursor, active, [&](uint32_t at) { return active[at] < kLimit; })]++;
  }
  for (size_t i = 0; i < kCount; i++) REQUIRE(active[i] > 0);
}

}  // namespace
}  // namespace sluice::policy
