// Exact quantiles of a run's latencies.
#include "generators/latency.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::bench {

void Latencies::add_ns(uint64_t duration_ns) {
  const uint64_t tenths = duration_ns / 100;
  samples_.push_back(
      static_cast<uint32_t>(std::min<uint64_t>(tenths, std::numeric_limits<uint32_t>::max())));
}

double Latencies::quantile_us(double share) {
  if (samples_.empty()) return 0;
  const auto rank = static_cast<int64_t>(std::ceil(share * static_cast<double>(samples_.size())));
  const int64_t index = std::clamp<int64_t>(rank - 1, 0, static_cast<int64_t>(samples_.size()) - 1);
  std::nth_element(samples_.begin(), samples_.begin() + index, samples_.end());
  return samples_[static_cast<size_t>(index)] / 10.0;
}

}  // namespace sluice::bench
