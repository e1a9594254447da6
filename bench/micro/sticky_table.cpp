// What a sticky entry costs a pick: to find and renew one, to miss, and to add one that evicts.
#include "sticky/sticky_table.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "policy/prng.h"

namespace sluice {
namespace {

constexpr sticky::Times kTimes{.now_ms = 1, .expire_ms = UINT32_MAX};
constexpr sticky::Identity kTarget = 7;

sticky::StickyKey client(uint32_t number) {
  uint8_t ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  for (uint32_t i = 0; i < 4; i++) ip[12 + i] = static_cast<uint8_t>(number >> (24 - 8 * i));
  return sticky::StickyKey::source(ip, 128);
}

std::shared_ptr<sticky::StickyTable> full_table(uint32_t clients) {
  std::shared_ptr<sticky::StickyTable> table = sticky::StickyTable::create(clients);
  if (table == nullptr) std::abort();
  sticky::Removals removals;
  for (uint32_t i = 0; i < clients; i++) {
    static_cast<void>(table->claim(client(i), sticky::kNobody, kTarget, kTimes, removals));
  }
  return table;
}

// In random order: a walk along the clients would find each next one in the cache.
std::vector<sticky::StickyKey> shuffled(uint32_t clients, uint32_t first) {
  policy::Cursor cursor = policy::seeded_cursor(7);
  std::vector<sticky::StickyKey> keys(1U << 16U);
  for (sticky::StickyKey& key : keys) {
    key = client(first + policy::scaled(policy::next_random(cursor), clients));
  }
  return keys;
}

void sticky_table_hit(benchmark::State& state) {
  const auto clients = static_cast<uint32_t>(state.range(0));
  const auto table = full_table(clients);
  const std::vector<sticky::StickyKey> keys = shuffled(clients, 0);
  sticky::Removals removals;
  size_t turn = 0;
  for (auto _ : state) {
    const sticky::StickyKey& key = keys[turn++ % keys.size()];
    if (table->find(key, kTimes, removals) != kTarget) state.SkipWithError("not found");
    table->use(key, kTarget, true, kTimes.now_ms);
  }
}

void sticky_table_miss(benchmark::State& state) {
  const auto clients = static_cast<uint32_t>(state.range(0));
  const auto table = full_table(clients);
  const std::vector<sticky::StickyKey> keys = shuffled(clients, clients);
  sticky::Removals removals;
  size_t turn = 0;
  for (auto _ : state) {
    const sticky::StickyKey& key = keys[turn++ % keys.size()];
    benchmark::DoNotOptimize(table->find(key, kTimes, removals));
  }
}

void sticky_table_evict(benchmark::State& state) {
  const auto clients = static_cast<uint32_t>(state.range(0));
  const auto table = full_table(clients);
  sticky::Removals removals;
  uint32_t next = clients;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        table->claim(client(next++), sticky::kNobody, kTarget, kTimes, removals));
  }
}

BENCHMARK(sticky_table_hit)->ArgName("clients")->Arg(1000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(sticky_table_miss)->ArgName("clients")->Arg(1000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(sticky_table_evict)->ArgName("clients")->Arg(1000)->Arg(100'000)->Arg(1'000'000);

}  // namespace
}  // namespace sluice
