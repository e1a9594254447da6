// First: fills targets in their order.
#include "policy/first.h"

#include <doctest/doctest.h>

#include "support/policy_fixture.h"

namespace sluice::policy {
namespace {

TEST_CASE("first fills one target before it touches the next, and comes back when one empties") {
  const test::Candidates candidates(std::vector<uint32_t>{1, 9, 3});
  const First policy(candidates);
  test::Active active(3);
  const auto has_room = [&](uint32_t index) { return active[index] < 10; };
  for (uint32_t i = 0; i < 30; i++) {
    const uint32_t picked = policy.pick(has_room);
    CHECK(picked == i / 10);
    active[picked]++;
  }
  CHECK(policy.pick(has_room) == kNoPick);
  active[1]--;
  CHECK(policy.pick(has_room) == 1);
}

}  // namespace
}  // namespace sluice::policy
