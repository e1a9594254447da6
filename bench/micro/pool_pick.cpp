// What a pick costs: every policy at 1 to 5000 targets, through table::Pool as the data plane asks.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "policy/prng.h"
#include "table/pool.h"

namespace sluice {
namespace {

using table::PolicyKind;

struct Targets {
  explicit Targets(uint32_t count) : active(count), response_us(count), bandwidth(count) {
    for (uint32_t i = 0; i < count; i++) names.push_back("target-" + std::to_string(i));
    for (uint32_t i = 0; i < count; i++) {
      active[i].store(i * 7 % 13, std::memory_order_relaxed);
      response_us[i].store(500 + i * 37 % 1000, std::memory_order_relaxed);
      bandwidth[i].bytes_per_s.store(i * 71 % 1'000'000, std::memory_order_relaxed);
      bandwidth[i].active.store(i * 7 % 13, std::memory_order_relaxed);
      // Weights in use are few and small.
      candidates.push_back(
          {.slot = i, .weight = 1 + i % 4, .max_connections = 0, .name = names[i]});
    }
  }

  [[nodiscard]] policy::Signals signals() const {
    const policy::SlotNumbers counts(active.data(), active.size());
    return {.active = counts,
            .load = counts,
            .turns = counts,
            .response_us = {response_us.data(), response_us.size()},
            .bandwidth = bandwidth};
  }

  std::vector<std::string> names;
  std::vector<policy::Candidate> candidates;
  std::vector<std::atomic<uint32_t>> active;
  std::vector<std::atomic<uint32_t>> response_us;
  std::vector<policy::Bandwidth> bandwidth;
};

void pick(benchmark::State& state, PolicyKind kind, uint32_t bounded_load = 0) {
  const Targets targets(static_cast<uint32_t>(state.range(0)));
  const policy::Signals signals = targets.signals();
  table::Pool pool;
  pool.set_tiers(
      kind, {table::Tier(kind, targets.candidates, {.settings = {.bounded_load = bounded_load}})});
  policy::Cursor cursor = policy::seeded_cursor(1);
  os::ClientAddress client;
  client.family = AF_INET;
  client.ip[10] = client.ip[11] = 0xff;
  const table::TriedTargets tried;
  uint32_t next = 0;
  for (auto _ : state) {
    // Another client each time, as for source_hash each is another place of its table.
    next++;
    std::memcpy(client.ip + 12, &next, sizeof(next));
    benchmark::DoNotOptimize(pool.pick({client, client}, cursor, signals, tried));
  }
}

// The same while the connections of the picked target grow and shrink, as they do in life.
void pick_and_count(benchmark::State& state, PolicyKind kind) {
  Targets targets(static_cast<uint32_t>(state.range(0)));
  const policy::Signals signals = targets.signals();
  table::Pool pool;
  pool.set_tiers(kind, {table::Tier(kind, targets.candidates)});
  policy::Cursor cursor = policy::seeded_cursor(1);
  const os::ClientAddress client;
  const table::TriedTargets tried;
  constexpr size_t kOpen = 64;
  uint32_t open[kOpen] = {};
  size_t turn = 0;
  for (uint32_t& slot : open) {
    slot = pool.pick({client, client}, cursor, signals, tried);
    targets.active[slot].fetch_add(1, std::memory_order_relaxed);
  }
  for (auto _ : state) {
    uint32_t& slot = open[turn++ % kOpen];
    targets.active[slot].fetch_sub(1, std::memory_order_relaxed);
    slot = pool.pick({client, client}, cursor, signals, tried);
    targets.active[slot].fetch_add(1, std::memory_order_relaxed);
  }
}

void build(benchmark::State& state, PolicyKind kind) {
  const Targets targets(static_cast<uint32_t>(state.range(0)));
  for (auto _ : state) {
    table::Tier tier(kind, targets.candidates);
    benchmark::DoNotOptimize(tier.candidates().data());
  }
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("targets")->Arg(1)->Arg(10)->Arg(100)->Arg(5000);
}

#define X(name, number, Class) BENCHMARK_CAPTURE(pick, name, PolicyKind::name)->Apply(sizes);
SLUICE_POLICIES(X)
#undef X
BENCHMARK_CAPTURE(pick, ring_hash_bounded, PolicyKind::ring_hash, 125U)->Apply(sizes);
BENCHMARK_CAPTURE(pick, maglev_bounded, PolicyKind::maglev, 125U)->Apply(sizes);
BENCHMARK_CAPTURE(pick_and_count, least_connections, PolicyKind::least_connections)->Apply(sizes);
BENCHMARK_CAPTURE(pick_and_count, power_of_two, PolicyKind::power_of_two)->Apply(sizes);
BENCHMARK_CAPTURE(pick_and_count, hot_cold, PolicyKind::hot_cold)->Apply(sizes);
BENCHMARK_CAPTURE(build, weighted_round_robin, PolicyKind::weighted_round_robin)->Apply(sizes);
BENCHMARK_CAPTURE(build, maglev, PolicyKind::maglev)->Apply(sizes);
BENCHMARK_CAPTURE(build, ring_hash, PolicyKind::ring_hash)->Apply(sizes);

}  // namespace
}  // namespace sluice
