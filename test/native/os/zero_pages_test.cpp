// Pages that are zero, one's own, and free until they are touched.
#include "os/zero_pages.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace sluice::os {
namespace {

TEST_CASE("zero pages are zero, and are there only once they are touched") {
  constexpr size_t kPages = 64;
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const ZeroPages pages = ZeroPages::create(kPages * page);
  REQUIRE(pages.valid());
  std::vector<unsigned char> resident(kPages);
  REQUIRE(::mincore(pages.data(), kPages * page, resident.data()) == 0);
  CHECK(std::count(resident.begin(), resident.end(), 0) == kPages);
  CHECK(std::all_of(pages.data(), pages.data() + kPages * page,
                    [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST_CASE("zero pages move with their owner, and a size beyond all memory is refused") {
  ZeroPages first = ZeroPages::create(1);
  std::byte* const at = first.data();
  *at = std::byte{7};
  ZeroPages second = std::move(first);
  CHECK_FALSE(first.valid());
  CHECK(second.data() == at);
  first = std::move(second);
  CHECK(*first.data() == std::byte{7});
  CHECK_FALSE(ZeroPages::create(std::numeric_limits<size_t>::max() / 2).valid());
}

}  // namespace
}  // namespace sluice::os
