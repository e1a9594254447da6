// Histograms that workers write, and TypeScript reads, in the shared region: how long something
// took or how much it was. One row per worker and slot, as with counters (counters.h).
#pragma once

#include <bit>
#include <cstdint>

#include "shared/counters.h"

namespace sluice::shared {

// By power of two, four buckets each: bucket i < 4 counts the value i, another one what is from
// 2^(i/4 + 1) * (1 + (i % 4) / 4) up to the next; the last counts all that is beyond, too.
inline constexpr uint32_t kHistogramBuckets = 124;

struct alignas(kCacheLineBytes) Histogram {
  Counter buckets[kHistogramBuckets];
  Counter sum;
};
static_assert(sizeof(Histogram) == 1024);

// What is told of a listener's connections and sessions when they end.
struct EndHistograms {
  Histogram duration_ms;
  Histogram to_target_bytes;
  Histogram to_client_bytes;
};

constexpr uint32_t histogram_bucket(uint64_t value) {
  constexpr uint64_t kLast = 0xffffffff;
  const uint64_t kept = value > kLast ? kLast : value;
  if (kept < 4) return static_cast<uint32_t>(kept);
  const auto power = static_cast<uint32_t>(std::bit_width(kept)) - 1;
  return (power - 1) * 4 + static_cast<uint32_t>((kept >> (power - 2)) & 3U);
}
static_assert(histogram_bucket(UINT64_MAX) == kHistogramBuckets - 1);

// Of the worker's own row.
inline void count(Histogram& row, uint64_t value) {
  add(row.buckets[histogram_bucket(value)], 1);
  add(row.sum, value);
}

// The same of a size, which is whole: a power of two is counted below it, not behind it.
inline void count_bytes(Histogram& row, uint64_t bytes) {
  add(row.buckets[histogram_bucket(bytes == 0 ? 0 : bytes - 1)], 1);
  add(row.sum, bytes);
}

inline void count_end(EndHistograms& row, uint64_t duration_ms, uint64_t to_target_bytes,
                      uint64_t to_client_bytes) {
  count(row.duration_ms, duration_ms);
  count_bytes(row.to_target_bytes, to_target_bytes);
  count_bytes(row.to_client_bytes, to_client_bytes);
}

}  // namespace sluice::shared
