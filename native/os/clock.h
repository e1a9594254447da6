// Clock readings for timers and records. Only CLOCK_MONOTONIC decides anything: a jump of the wall
// clock must never fire or delay a timeout.
#pragma once

#include <cstdint>

namespace sluice::os {

[[nodiscard]] uint64_t monotonic_ns();
[[nodiscard]] uint64_t wall_clock_ms();  // for the time stamp of an event, never for a timer

}  // namespace sluice::os
