// Lot: what it falls on, and how often.
#include "policy/lot.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

namespace sluice::policy {
namespace {

uint32_t fallen(uint32_t one_in, uint32_t of, uint64_t seed) {
  Cursor cursor = seeded_cursor(seed);
  const Lot lot(cursor, one_in);
  uint32_t count = 0;
  for (uint32_t i = 0; i < of; i++) count += lot.falls() ? 1 : 0;
  return count;
}

TEST_CASE("a lot of one, of none, or without a share falls on everyone") {
  CHECK(fallen(0, 100, 1) == 100);
  CHECK(fallen(1, 100, 1) == 100);
  CHECK(Lot().falls());
}

TEST_CASE("a lot of n falls on one in n") {
  for (const uint32_t one_in : {2U, 3U, 10U, 100U}) {
    for (uint64_t seed = 0; seed < 20; seed++) {
      CAPTURE(one_in);
      CAPTURE(seed);
      const double expected = 100'000.0 / one_in;
      // Five standard deviations.
      const double slack = 5 * std::sqrt(expected * (1 - 1.0 / one_in));
      CHECK(std::abs(fallen(one_in, 100'000, seed) - expected) < slack);
    }
  }
}

TEST_CASE("lots of n, n - 1, ... 1 spread ends evenly over n steps") {
  Cursor cursor = seeded_cursor(3);
  constexpr uint32_t kSteps = 20;
  uint32_t left = 20'000;
  for (uint32_t step = kSteps; step > 0; step--) {
    const Lot lot(cursor, step);
    uint32_t ended = 0;
    for (uint32_t i = 0; i < left; i++) ended += lot.falls() ? 1 : 0;
    CAPTURE(step);
    // 1000 in each step, and six standard deviations of it.
    CHECK(ended > 800);
    CHECK(ended < 1200);
    left -= ended;
  }
  CHECK(left == 0);
}

}  // namespace
}  // namespace sluice::policy
