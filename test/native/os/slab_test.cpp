// Slab: bound, reuse, construction and destruction, and memory that is not there until used.
#include "os/slab.h"

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

using sluice::os::Slab;

namespace {

struct Counted {
  explicit Counted(int& alive_count, uint64_t start_value = 0)
      : alive(alive_count), value(start_value) {
    alive++;
  }
  ~Counted() { alive--; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  int& alive;
  uint64_t value;
};

}  // namespace

TEST_CASE("a slab gives out as many objects as it was made for, and then none") {
  int alive = 0;
  Slab<Counted> slab(3);
  CHECK(slab.capacity() == 3);
  std::vector<Counted*> taken;
  for (uint64_t i = 0; i < 3; i++) taken.push_back(slab.take(alive, i));
  CHECK(slab.take(alive) == nullptr);
  CHECK(alive == 3);
  CHECK(slab.in_use() == 3);
  for (uint64_t i = 0; i < 3; i++) CHECK(taken[i]->value == i);
  slab.give(taken[1]);
  CHECK(alive == 2);
  Counted* const again = slab.take(alive, 9U);
  CHECK(again == taken[1]);
  CHECK(again->value == 9);
  for (Counted* object : taken) slab.give(object);
  CHECK(alive == 0);
  CHECK(slab.in_use() == 0);
}

TEST_CASE("the place that was freed last is used first") {
  Slab<uint64_t> slab(10);
  uint64_t* const first = slab.take();
  uint64_t* const second = slab.take();
  slab.give(first);
  slab.give(second);
  CHECK(slab.take() == second);
  CHECK(slab.take() == first);
  slab.give(first);
  slab.give(second);
}

TEST_CASE("objects are aligned as their type asks and never overlap, in any order of use") {
  struct alignas(64) Wide {
    unsigned char bytes[100];
  };
  Slab<Wide> slab(200);
  std::mt19937 random(3);
  std::vector<Wide*> taken;
  std::set<Wide*> distinct;
  for (int step = 0; step < 5000; step++) {
    if (random() % 2 == 0 || taken.empty()) {
      Wide* const object = slab.take();
      REQUIRE((object == nullptr) == (taken.size() == 200));
      if (object == nullptr) continue;
      REQUIRE(reinterpret_cast<uintptr_t>(object) % 64 == 0);
      REQUIRE(distinct.insert(object).second);
      std::fill(std::begin(object->bytes), std::end(object->bytes), 0xab);
      taken.push_back(object);
    } else {
      std::swap(taken[random() % taken.size()], taken.back());
      distinct.erase(taken.back());
      slab.give(taken.back());
      taken.pop_back();
    }
    REQUIRE(slab.in_use() == taken.size());
  }
  for (Wide* object : taken) slab.give(object);
}

TEST_CASE("a slab for a million objects takes memory only for those that were used") {
  struct Page {
    unsigned char bytes[4096];
  };
  constexpr uint32_t kCapacity = 1'000'000;
  Slab<Page> slab(kCapacity);
  REQUIRE(slab.capacity() == kCapacity);
  Page* const first = slab.take();
  Page* const second = slab.take();
  REQUIRE(first != nullptr);
  REQUIRE(second == first + 1);
  first->bytes[0] = second->bytes[0] = 1;
  constexpr size_t kLookedAt = 10'000;
  std::vector<unsigned char> resident(kLookedAt);
  REQUIRE(::mincore(first, kLookedAt * sizeof(Page), resident.data()) == 0);
  const auto pages = std::count_if(resident.begin(), resident.end(),
                                   [](unsigned char page) { return (page & 1) != 0; });
  // Two, or one huge page where the machine gives those.
  CHECK(pages <= 512);
  slab.give(first);
  slab.give(second);
}

TEST_CASE("a slab of nothing gives nothing") {
  Slab<uint64_t> slab(0);
  CHECK(slab.capacity() == 0);
  CHECK(slab.take() == nullptr);
}
