// Buckets of response times: in order, four to a power of two, no gap.
#include <doctest/doctest.h>

#include <cstdint>

#include "shared/layout.h"

namespace sluice::shared {
namespace {

TEST_CASE("response buckets follow each other, a quarter wide at most, from 0 to 71 minutes") {
  uint64_t start = 0;
  for (uint32_t bucket = 0; bucket < kResponseBuckets; bucket++) {
    // The first of the next bucket, by the formula in layout.h.
    const uint64_t next = bucket + 1;
    const uint64_t end = next < 4 ? next : (uint64_t{1} << (next / 4 + 1)) / 4 * (4 + next % 4);
    CAPTURE(bucket);
    CHECK(response_bucket(start) == bucket);
    CHECK(response_bucket(end - 1) == bucket);
    CHECK(end - start <= (start < 4 ? 1 : start / 4));
    start = end;
  }
  CHECK(start == uint64_t{1} << 32U);
  CHECK(response_bucket(start) == kResponseBuckets - 1);
  CHECK(response_bucket(UINT64_MAX) == kResponseBuckets - 1);
}

}  // namespace
}  // namespace sluice::shared
