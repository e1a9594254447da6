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
  explicit Targets(uint32_t count) : active(count) {
    for (uint32_t i = 0; i < count; i++) names.push_back("target-" + std::to_string(i));
    for (uint32_t i = 0; i < count; i++) {
      active[i].store(i * 7 % 13, std::memory_order_relaxed);
      // Weights in use are few and small.
      candidates.push_back(
          {.slot = i, .weight = 1 + i % 4, .max_connections = 0, .name = names[i]});
    }
  }

  std::vector<std::string> names;
  std::vector<policy::Candidate> candidates;
  std::vector<std::atomic<uint32_t>> active;

  [[nodiscard]] policy::Signals signals() const {
    const policy::SlotNumbers counts(active.data(), active.size());
    return {.active = counts, .load = counts, .turns = counts, .response_us = counts};
  }
};

void pick(benchmark::State& state, PolicyKind kind) {
  const Targets targets(static_cast<uint32_t>(state.range(0)));
  table::Pool pool;
  pool.set_tiers(kind, {table::Tier(kind, targets.candidates)});
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
    benchmark::DoNotOptimize(pool.pick(client, cursor, targets.signals(), tried));
  }
}

// The same while the connections of the picked target grow and shrink, as they do in life.
void pick_and_count(benchmark::State& state, PolicyKind kind) {
  Targets targets(static_cast<uint32_t>(state.range(0)));
  table::Pool pool;
  pool.set_tiers(kind, {table::Tier(kind, targets.candidates)});
  policy::Cursor cursor = policy::seeded_cursor(1);
  const os::ClientAddress client;
  const table::TriedTargets tried;
  constexpr size_t kOpen = 64;
  uint32_t open[kOpen] = {};
  size_t turn = 0;
  for (uint32_t& slot : open) {
    slot = pool.pick(client, cursor, targets.signals(), tried);
    targets.active[slot].fetch_add(1, std::memory_order_relaxed);
  }
  for (auto _ : state) {
    uint32_t& slot = open[turn++ % kOpen];
    targets.active[slot].fetch_sub(1, std::memory_order_relaxed);
    slot = pool.pick(client, cursor, targets.signals(), tried);
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

BENCHMARK_CAPTURE(pick, round_robin, PolicyKind::round_robin)->Apply(sizes);
BENCHMARK_CAPTURE(pick, weighted_round_robin, PolicyKind::weighted_round_robin)->Apply(sizes);
BENCHMARK_CAPTURE(pick, least_connections, PolicyKind::least_connections)->Apply(sizes);
BENCHMARK_CAPTURE(pick, random, PolicyKind::random)->Apply(sizes);
BENCHMARK_CAPTURE(pick, power_of_two, PolicyKind::power_of_two)->Apply(sizes);
BENCHMARK_CAPTURE(pick, source_hash, PolicyKind::source_hash)->Apply(sizes);
BENCHMARK_CAPTURE(pick_and_count, least_connections, PolicyKind::least_connections)->Apply(sizes);
BENCHMARK_CAPTURE(pick_and_count, power_of_two, PolicyKind::power_of_two)->Apply(sizes);
BENCHMARK_CAPTURE(build, weighted_round_robin, PolicyKind::weighted_round_robin)->Apply(sizes);
BENCHMARK_CAPTURE(build, source_hash, PolicyKind::source_hash)->Apply(sizes);

}  // namespace
}  // namespace sluice
