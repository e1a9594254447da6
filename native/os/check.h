// SLUICE_CHECK: the always-on assert for sluice's own invariants. It never states what a network,
// a kernel or the control plane may do: those are results to handle, not reasons to stop.
#pragma once

namespace sluice::os {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace sluice::os

#define SLUICE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::sluice::os::check_failed(#condition, __FILE__, __LINE__))
