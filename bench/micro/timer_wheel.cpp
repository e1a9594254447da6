// What a deadline costs: arming and cancelling it, and advancing a wheel that holds many.
#include "os/timer_wheel.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>

#include "policy/prng.h"

namespace sluice {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

struct Deadlines {
  explicit Deadlines(uint32_t count) : wheel(0), nodes(new os::TimerNode[count]) {
    policy::Cursor cursor = policy::seeded_cursor(3);
    for (uint32_t i = 0; i < count; i++) {
      const uint64_t seconds = 1 + policy::scaled(policy::next_random(cursor), 3600);
      wheel.arm(nodes[i], seconds * kSecondNs);
    }
  }

  os::TimerWheel wheel;
  std::unique_ptr<os::TimerNode[]> nodes;
};

void timer_wheel_arm_cancel(benchmark::State& state) {
  Deadlines deadlines(static_cast<uint32_t>(state.range(0)));
  os::TimerNode node;
  uint64_t deadline_ns = kSecondNs;
  for (auto _ : state) {
    deadlines.wheel.arm(node, deadline_ns);
    deadlines.wheel.cancel(node);
    deadline_ns += kSecondNs / 7;
  }
}

// A worker under load: the wheel is advanced every turn, nearly always within a tick.
void timer_wheel_advance(benchmark::State& state) {
  Deadlines deadlines(static_cast<uint32_t>(state.range(0)));
  uint64_t now_ns = 0;
  uint64_t fired = 0;
  for (auto _ : state) {
    now_ns += 20'000;
    deadlines.wheel.advance(now_ns, [&](os::TimerNode& node) {
      fired++;
      deadlines.wheel.arm(node, now_ns + 3600 * kSecondNs);
    });
  }
  benchmark::DoNotOptimize(fired);
}

void timer_wheel_timeout(benchmark::State& state) {
  const Deadlines deadlines(static_cast<uint32_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(deadlines.wheel.timeout_ms(kSecondNs / 2));
}

BENCHMARK(timer_wheel_arm_cancel)->ArgName("armed")->Arg(0)->Arg(100)->Arg(10'000);
BENCHMARK(timer_wheel_advance)->ArgName("armed")->Arg(0)->Arg(100)->Arg(10'000);
BENCHMARK(timer_wheel_timeout)->ArgName("armed")->Arg(0)->Arg(100)->Arg(10'000);

}  // namespace
}  // namespace sluice
