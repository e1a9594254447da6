// What counting costs: a worker's own counter, beside a locked addition for comparison; the shared
// count of active connections, alone and with another thread at the same line.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>

#include "shared/layout.h"

namespace sluice {
namespace {

void counter_add(benchmark::State& state) {
  shared::Counter counter{0};
  for (auto _ : state) shared::add(counter, 64);
  benchmark::DoNotOptimize(counter.load());
}

void counter_locked_add(benchmark::State& state) {
  shared::Counter counter{0};
  for (auto _ : state) counter.fetch_add(64, std::memory_order_relaxed);
  benchmark::DoNotOptimize(counter.load());
}

void active_count(benchmark::State& state) {
  // Writers: all of the benchmark's threads; nobody reads. Relaxed, as in the data plane.
  static std::atomic<uint32_t> active{0};
  for (auto _ : state) {
    active.fetch_add(1, std::memory_order_relaxed);
    active.fetch_sub(1, std::memory_order_relaxed);
  }
}

BENCHMARK(counter_add);
BENCHMARK(counter_locked_add);
BENCHMARK(active_count)->Threads(1)->Threads(2);

}  // namespace
}  // namespace sluice
