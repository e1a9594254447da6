// The pause before a retry.
#include "tcp/retry_delay.h"

#include <doctest/doctest.h>

#include "policy/prng.h"
#include "support/seed.h"

namespace sluice::test {
namespace {

using tcp::retry_delay_ns;

constexpr uint64_t kMillisecondNs = 1'000'000;

TEST_CASE("the bound of the pause doubles with each failure, up to the longest") {
  const table::Backoff rules{.base_ms = 100, .max_ms = 1000};
  const uint64_t expected_ms[] = {100, 200, 400, 800, 1000, 1000, 1000};
  for (uint32_t failures = 1; failures <= 7; failures++) {
    const uint64_t longest_ns = retry_delay_ns(rules, failures, UINT32_MAX);
    CHECK(longest_ns <= expected_ms[failures - 1] * kMillisecondNs);
    CHECK(longest_ns >= expected_ms[failures - 1] * kMillisecondNs - 1000);
    CHECK(retry_delay_ns(rules, failures, 0) == 0);
  }
}

TEST_CASE("pauses are spread evenly below the bound, whatever the rules") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  policy::Cursor random = policy::seeded_cursor(seed);
  for (int run = 0; run < 500; run++) {
    const uint32_t base_ms = 1 + policy::scaled(policy::next_random(random), table::kBackoffMsMax);
    const uint32_t max_ms =
        base_ms + policy::scaled(policy::next_random(random), table::kBackoffMsMax - base_ms + 1);
    const uint32_t failures = 1 + policy::scaled(policy::next_random(random), 255);
    const table::Backoff rules{.base_ms = base_ms, .max_ms = max_ms};
    const uint64_t bound_ns = retry_delay_ns(rules, failures, UINT32_MAX) + 1000;
    CHECK(bound_ns >= base_ms * kMillisecondNs);
    CHECK(bound_ns <= max_ms * kMillisecondNs + 1000);
    uint32_t low = 0;
    for (int i = 0; i < 100; i++) {
      const uint64_t delay_ns = retry_delay_ns(rules, failures, policy::next_random(random));
      CHECK(delay_ns < bound_ns);
      if (delay_ns < bound_ns / 2) low++;
    }
    // Of a hundred fair coins: less often than once in 10^9.
    CHECK(low > 18);
    CHECK(low < 82);
  }
}

}  // namespace
}  // namespace sluice::test
