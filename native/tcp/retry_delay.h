// retry_delay_ns: how long a connection pauses before a retry. Exponential with full jitter, as
// Brooker describes it ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015): connections
// that failed together are spread over the whole pause. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "table/pool.h"

namespace sluice::tcp {

// After the `failures`-th failed try, from 1 on; `random` is uniform. Below the bound, which
// doubles with each failure up to rules.max_ms.
[[nodiscard]] constexpr uint64_t retry_delay_ns(const table::Backoff& rules, uint32_t failures,
                                                uint32_t random) {
  static_assert(table::kBackoffMsMax < (1U << 20U), "the product below fits 64 bits");
  const uint32_t doublings = std::min(failures - 1, table::kRetriesMax);
  const uint64_t bound_ms = std::min<uint64_t>(uint64_t{rules.base_ms} << doublings, rules.max_ms);
  const uint64_t us = (random * (bound_ms * 1000)) >> 32U;
  return us * 1000;
}

}  // namespace sluice::tcp
