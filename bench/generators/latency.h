// Latencies: every sample of a run, for exact quantiles (4 bytes each; runs are short).
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::bench {

class Latencies {
 public:
  void add_ns(uint64_t duration_ns);
  [[nodiscard]] uint64_t count() const { return samples_.size(); }
  // The smallest sample that at least `share` (0..1) of all samples do not exceed, in microseconds;
  // 0 without samples. Reorders the samples.
  [[nodiscard]] double quantile_us(double share);

 private:
  std::vector<uint32_t> samples_;  // tenths of a microsecond
};

}  // namespace sluice::bench
