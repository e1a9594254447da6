// fresh_seed: another seed in every run, so that property tests see more of the world than one
// fixed sequence; printed on failure (CAPTURE it), and given back by SLUICE_TEST_SEED.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>

namespace sluice::test {

inline uint64_t fresh_seed() {
  if (const char* fixed = std::getenv("SLUICE_TEST_SEED")) return std::strtoull(fixed, nullptr, 0);
  std::random_device device;
  return uint64_t{device()} << 32U | device();
}

}  // namespace sluice::test
