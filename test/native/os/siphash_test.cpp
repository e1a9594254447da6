// The hash against the published vectors of its authors.
#include "os/siphash.h"

#include <doctest/doctest.h>

#include <span>

namespace sluice::os {
namespace {

TEST_CASE("siphash gives the vectors of its authors") {
  // vectors.h of the reference implementation: key 00 01 .. 0f, input 00 01 02 ..
  const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  const uint64_t words[] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  CHECK(siphash<2, 4>(key, std::span(words, 0)) == 0x726fdb47dd0e0e31);
  CHECK(siphash<2, 4>(key, std::span(words, 1)) == 0x93f5f5799a932462);
  CHECK(siphash<2, 4>(key, std::span(words, 2)) == 0x3f2acc7f57c29bdb);
}

}  // namespace
}  // namespace sluice::os
