// Least response time: the smallest response time x (load + 1) / weight; new targets are asked
// once.
#include "policy/least_response_time.h"

#include <doctest/doctest.h>

#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Active;
using test::Candidates;

TEST_CASE("least_response_time picks the least response time x (load + 1) / weight") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; round++) {
    const size_t count = 1 + random() % 40;
    const auto weights = test::random_weights(random, count, round % 2 == 0 ? 3 : 65535);
    const Candidates candidates(weights);
    Active active(count);
    for (size_t i = 0; i < count; i++) {
      active[i] = static_cast<uint32_t>(random() % 50);
      active.response_us(i) =
          static_cast<uint32_t>(1 + random() % (round % 3 == 0 ? 5 : UINT32_MAX));
    }
    Cursor cursor = seeded_cursor(random());
    const uint32_t picked = LeastResponseTime(candidates).pick(cursor, active, test::any);
    const auto cost = [&](size_t i) {
      return static_cast<double>(active.response_us(i)) * (active[i] + 1.0) / weights[i];
    };
    for (size_t i = 0; i < count; i++) REQUIRE(cost(picked) <= cost(i) * (1 + 1e-12));
  }
}

TEST_CASE("least_response_time gives equals equal shares, also beside slower ones") {
  const Candidates candidates(test::equal_weights(6));
  Active active(6);
  for (size_t i = 0; i < 6; i++) active.response_us(i) = 500;
  for (const uint32_t slow : {1U, 2U, 4U}) active.response_us(slow) = 900;
  const LeastResponseTime policy(candidates);
  Cursor cursor = seeded_cursor(1);
  const auto counts =
      test::counts_of(6, 300, [&] { return policy.pick(cursor, active, test::any); });
  CHECK(counts == std::vector<uint64_t>{100, 0, 0, 100, 0, 100});
}

TEST_CASE("a target that was not measured yet gets one connection, and no second until then") {
  const Candidates candidates(test::equal_weights(3));
  const LeastResponseTime policy(candidates);
  Active active(3);
  active.response_us(0) = 800;
  active.response_us(1) = 900;
  Cursor cursor = seeded_cursor(1);
  REQUIRE(policy.pick(cursor, active, test::any) == 2);
  active[2]++;
  for (int i = 0; i < 100; i++) {
    const uint32_t picked = policy.pick(cursor, active, test::any);
    CHECK(picked != 2);
    active[picked]++;
  }
  active.response_us(2) = 100;
  CHECK(policy.pick(cursor, active, test::any) == 2);
}

TEST_CASE("where nothing can be measured the least loaded is picked") {
  const Candidates candidates(std::vector<uint32_t>{1, 2, 1});
  const LeastResponseTime policy(candidates);
  Active active(3);
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 4000; i++) active[policy.pick(cursor, active, test::any)]++;
  CHECK(std::abs(static_cast<int>(active[0]) - 1000) <= 1);
  CHECK(std::abs(static_cast<int>(active[1]) - 2000) <= 1);
  CHECK(std::abs(static_cast<int>(active[2]) - 1000) <= 1);
}

// One connection at a time; the estimate falls by a tenth between measurements, as the coordinator
// makes it fall (shared::decayed).
TEST_CASE("a slow target is asked again once its estimate has fallen, and gets its share back") {
  const Candidates candidates(test::equal_weights(2));
  const LeastResponseTime policy(candidates);
  Active active(2);
  active.response_us(0) = 1000;
  active.response_us(1) = 1'000'000;
  Cursor cursor = seeded_cursor(1);
  int seconds = 0;
  while (policy.pick(cursor, active, test::any) == 0) {
    active.response_us(1) = active.response_us(1) * 9 / 10;
    REQUIRE(++seconds < 100);
  }
  MESSAGE("a target that was a thousand times slower is asked again after " << seconds << " s");
  CHECK(seconds > 30);
}

TEST_CASE("least_response_time reads the signals of the candidate's slot") {
  const Candidate candidates[] = {{.slot = 7}, {.slot = 2}};
  Active active(8);
  active.response_us(7) = 2000;
  active.response_us(2) = 1000;
  Cursor cursor = seeded_cursor(1);
  CHECK(LeastResponseTime(candidates).pick(cursor, active, test::any) == 1);
}

}  // namespace
}  // namespace sluice::policy
