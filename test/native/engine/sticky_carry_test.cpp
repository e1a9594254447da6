// What becomes of a pool's sticky entries from one table to the next.
#include "engine/sticky_carry.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "shared/layout.h"

namespace sluice::engine {
namespace {

constexpr sticky::Times kNow{.now_ms = 5000, .expire_ms = 60'000};

sticky::StickyKey client(uint8_t number) {
  const uint8_t ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, number};
  return sticky::StickyKey::source(ip, 128);
}

struct Spec {
  uint32_t slot;
  uint32_t capacity;  // 0: not sticky
};

std::unique_ptr<table::Table> table_of(const std::vector<Spec>& pools) {
  auto made = std::make_unique<table::Table>();
  for (const Spec& spec : pools) {
    table::Pool& pool = made->pools.emplace_back();
    pool.slot = spec.slot;
    pool.stickiness.capacity = spec.capacity;
  }
  return made;
}

std::vector<StickyMove> carry(table::Table& next, const table::Table* current) {
  std::vector<StickyMove> moves;
  REQUIRE(carry_sticky_tables(next, current, kNow.now_ms, moves));
  return moves;
}

sticky::StickyTable& entries_of(const table::Table& table, size_t pool = 0) {
  return *table.pools[pool].stickiness.entries;
}

sticky::Identity find(const table::Table& table, uint8_t number) {
  sticky::Removals removals;
  return entries_of(table).find(client(number), kNow, removals);
}

void learn(const table::Table& table, uint8_t number, sticky::Identity identity) {
  sticky::Removals removals;
  static_cast<void>(
      entries_of(table).claim(client(number), sticky::kNobody, identity, kNow, removals));
}

TEST_CASE("a pool keeps its entries from table to table, by its slot") {
  const auto first = table_of({{3, 100}, {4, 100}, {5, 0}});
  CHECK(carry(*first, nullptr).empty());
  CHECK(first->pools[2].stickiness.entries == nullptr);
  const auto second = table_of({{4, 100}, {3, 100}});
  CHECK(carry(*second, first.get()).empty());
  CHECK(second->pools[0].stickiness.entries == first->pools[1].stickiness.entries);
  CHECK(second->pools[1].stickiness.entries == first->pools[0].stickiness.entries);
}

TEST_CASE("a pool that left, or stopped to be sticky, begins anew") {
  const auto first = table_of({{3, 100}});
  carry(*first, nullptr);
  learn(*first, 1, 9);
  for (const auto& between : {table_of({}), table_of({{3, 0}})}) {
    CHECK(carry(*between, first.get()).empty());
    const auto again = table_of({{3, 100}});
    CHECK(carry(*again, between.get()).empty());
    CHECK(find(*again, 1) == sticky::kNobody);
  }
}

TEST_CASE(
    "another capacity moves the entries, with what is learned before all workers have moved") {
  std::vector<std::atomic<uint32_t>> sizes(shared::kPoolSlotsMax);
  sizes[8] = 7;  // of a pool that has left
  const auto first = table_of({{3, 100}});
  carry(*first, nullptr);
  learn(*first, 1, 9);
  const auto second = table_of({{3, 5000}});
  const std::vector<StickyMove> moves = carry(*second, first.get());
  REQUIRE(moves.size() == 1);
  CHECK(entries_of(*second).capacity() == 5000);
  CHECK(find(*second, 1) == 9);
  learn(*first, 2, 8);
  CHECK(find(*second, 2) == sticky::kNobody);
  settle_sticky_tables(*second, moves, sizes);
  CHECK(find(*second, 2) == 8);
  CHECK(sizes[3].load() == 2);
  CHECK(sizes[8].load() == 0);
}

}  // namespace
}  // namespace sluice::engine
