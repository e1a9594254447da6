// What a turn costs beyond moving its bytes: all that a question and its answer write, with the one
// reading of the clock; alone, and with another thread whose connections have the same target or
// the next one.
#include "tcp/turn.h"

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <vector>

#include "os/clock.h"
#include "shared/layout.h"
#include "shared/response_time.h"

namespace sluice {
namespace {

void one_turn(tcp::Turn& turn, shared::TurnSignals& signals, shared::Histogram& row,
              uint64_t& loop_ns) {
  uint64_t asked_ns = 0;
  if (turn.step({.to_target = true, .to_client = false, .crossed = false}) ==
      tcp::TurnStep::began) {
    signals.active_turns.fetch_add(1, std::memory_order_relaxed);
    if (turn.measurable()) asked_ns = os::monotonic_ns();
  }
  loop_ns = asked_ns + 70'000;
  benchmark::DoNotOptimize(loop_ns);
  if (turn.step({.to_target = false, .to_client = true, .crossed = false}) ==
      tcp::TurnStep::answered) {
    signals.active_turns.fetch_sub(1, std::memory_order_relaxed);
    const uint64_t took_us = (loop_ns - asked_ns) / 1000;
    shared::note_response(signals.response_us, took_us);
    signals.measured.store(true, std::memory_order_relaxed);
    shared::count(row, took_us);
  }
}

// `apart`: threads have targets of their own, in neighbouring slots.
void turn(benchmark::State& state, bool apart) {
  static std::vector<shared::TurnSignals> signals(8);
  static std::vector<shared::Histogram> rows(8);
  const auto thread = static_cast<size_t>(state.thread_index());
  tcp::Turn own;
  uint64_t loop_ns = 0;
  for (auto _ : state) one_turn(own, signals[apart ? thread : 0], rows[thread], loop_ns);
}

void clock_reading(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(os::monotonic_ns());
}

BENCHMARK(clock_reading);
BENCHMARK_CAPTURE(turn, one_target, false)->Threads(1)->Threads(2);
BENCHMARK_CAPTURE(turn, own_targets, true)->Threads(2);

}  // namespace
}  // namespace sluice
