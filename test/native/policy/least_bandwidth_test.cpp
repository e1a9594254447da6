// Least bandwidth: the fewest bytes per second per weight, without a rush between measurements.
#include "policy/least_bandwidth.h"

#include <doctest/doctest.h>

#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Active;
using test::Candidates;

void measure(Active& active, size_t slot, uint64_t bytes_per_s, uint32_t connections) {
  active.bandwidth(slot).bytes_per_s = bytes_per_s;
  active.bandwidth(slot).active = connections;
  active[slot] = connections;
}

TEST_CASE("least_bandwidth picks who moves the fewest bytes for his weight") {
  const Candidates candidates(std::vector<uint32_t>{1, 1, 4});
  const LeastBandwidth policy(candidates);
  Active active(3);
  measure(active, 0, 30'000'000, 3);
  measure(active, 1, 20'000'000, 2000);
  measure(active, 2, 90'000'000, 9);
  Cursor cursor = seeded_cursor(1);
  CHECK(policy.pick(cursor, active, test::any) == 1);
  measure(active, 2, 70'000'000, 9);
  CHECK(policy.pick(cursor, active, test::any) == 2);
}

TEST_CASE("between two measurements new connections spread, as what one moves in the mean") {
  const Candidates candidates(test::equal_weights(4));
  const LeastBandwidth policy(candidates);
  Active active(4);
  // 1 MB/s each; the last target has none.
  for (size_t slot = 0; slot < 3; slot++) measure(active, slot, 100'000'000, 100);
  measure(active, 3, 0, 0);
  Cursor cursor = seeded_cursor(1);
  std::vector<uint64_t> counts(4);
  for (int i = 0; i < 500; i++) {
    const uint32_t picked = policy.pick(cursor, active, test::any);
    counts.at(picked)++;
    active[picked]++;
  }
  // Until the last has caught up it gets all, then everybody the same.
  CHECK(counts == std::vector<uint64_t>{100, 100, 100, 200});
}

TEST_CASE("without any traffic connections are spread by weight") {
  const Candidates candidates(std::vector<uint32_t>{1, 3});
  const LeastBandwidth policy(candidates);
  Active active(2);
  Cursor cursor = seeded_cursor(1);
  for (int i = 0; i < 400; i++) active[policy.pick(cursor, active, test::any)]++;
  CHECK(std::abs(static_cast<int>(active[0]) - 100) <= 1);
  CHECK(std::abs(static_cast<int>(active[1]) - 300) <= 1);
}

TEST_CASE("connections that ended since the measurement do not count as negative traffic") {
  const Candidates candidates(test::equal_weights(2));
  const LeastBandwidth policy(candidates);
  Active active(2);
  measure(active, 0, 5'000'000, 1000);
  measure(active, 1, 1'000'000, 1);
  active[0] = 0;
  Cursor cursor = seeded_cursor(1);
  CHECK(policy.pick(cursor, active, test::any) == 1);
}

TEST_CASE("least_bandwidth gives equals equal shares") {
  const Candidates candidates(test::equal_weights(3));
  const LeastBandwidth policy(candidates);
  Active active(3);
  for (size_t slot = 0; slot < 3; slot++) measure(active, slot, 1'000, 10);
  Cursor cursor = seeded_cursor(1);
  const auto counts =
      test::counts_of(3, 300, [&] { return policy.pick(cursor, active, test::any); });
  CHECK(counts == std::vector<uint64_t>{100, 100, 100});
}

TEST_CASE("least_bandwidth reads the signals of the candidate's slot") {
  const Candidate candidates[] = {{.slot = 7}, {.slot = 2}};
  Active active(8);
  measure(active, 7, 1000, 1);
  measure(active, 2, 500, 1);
  Cursor cursor = seeded_cursor(1);
  CHECK(LeastBandwidth(candidates).pick(cursor, active, test::any) == 1);
}

}  // namespace
}  // namespace sluice::policy
