// Histograms: buckets in order, four to a power of two, no gap; each end in three of them.
#include "shared/histogram.h"

#include <doctest/doctest.h>

#include <cstdint>

namespace sluice::shared {
namespace {

TEST_CASE(
    "buckets follow each other, a quarter wide at most, and the last takes all that is beyond") {
  uint64_t start = 0;
  for (uint32_t bucket = 0; bucket < kHistogramBuckets; bucket++) {
    // The first of the next bucket, by the formula in layout.h.
    const uint64_t next = bucket + 1;
    const uint64_t end = next < 4 ? next : (uint64_t{1} << (next / 4 + 1)) / 4 * (4 + next % 4);
    CAPTURE(bucket);
    CHECK(histogram_bucket(start) == bucket);
    CHECK(histogram_bucket(end - 1) == bucket);
    CHECK(end - start <= (start < 4 ? 1 : start / 4));
    start = end;
  }
  CHECK(start == uint64_t{1} << 32U);
  CHECK(histogram_bucket(start) == kHistogramBuckets - 1);
  CHECK(histogram_bucket(UINT64_MAX) == kHistogramBuckets - 1);
}

TEST_CASE("an end is counted once in each of its histograms, with its sum") {
  EndHistograms row{};
  count_end(row, 3, uint64_t{1} << 40U, 0);
  count_end(row, 5, 100, 0);
  CHECK(row.duration_ms.buckets[3].load() == 1);
  CHECK(row.duration_ms.buckets[histogram_bucket(5)].load() == 1);
  CHECK(row.duration_ms.sum.load() == 8);
  CHECK(row.to_target_bytes.buckets[kHistogramBuckets - 1].load() == 1);
  CHECK(row.to_target_bytes.sum.load() == (uint64_t{1} << 40U) + 100);
  CHECK(row.to_client_bytes.buckets[0].load() == 2);
  CHECK(row.to_client_bytes.sum.load() == 0);
}

}  // namespace
}  // namespace sluice::shared
