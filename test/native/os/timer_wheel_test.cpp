// The timer wheel against a naive model, over all levels, the turn of the whole wheel included.
#include "os/timer_wheel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

using sluice::os::TimerNode;
using sluice::os::TimerWheel;

namespace {

constexpr uint64_t kTick = TimerWheel::kTickNs;
constexpr uint64_t kTurnTicks = uint64_t{1} << 32;

uint64_t tick_at_or_after(uint64_t ns) {
  return ns / kTick + (ns % kTick != 0);
}

// Every timer with the tick in which it must fire; all of it looked at each time.
struct Model {
  struct Timer {
    TimerNode node;
    bool armed = false;
    uint64_t due_tick = 0;
  };
  TimerWheel wheel;
  std::vector<Timer> timers;
  std::mt19937_64 random;
  uint64_t now_ns;
  uint64_t latest_tick;
  uint64_t fired = 0;

  Model(uint64_t seed, uint64_t start_ns, size_t count)
      : wheel(start_ns),
        timers(count),
        random(seed),
        now_ns(start_ns),
        latest_tick(start_ns / kTick) {}

  Timer& any() { return timers[random() % timers.size()]; }
  // From nanoseconds to years, each magnitude as likely as the other.
  uint64_t some_span_ns() {
    const auto bits = random() % 57;
    return random() & ((uint64_t{1} << bits) - 1);
  }
  void arm(Timer& timer) {
    // Sometimes in the past, where nothing but the next tick is left.
    const uint64_t span = some_span_ns();
    const bool past = random() % 8 == 0;
    const uint64_t deadline = past ? now_ns - std::min(now_ns, span) : now_ns + span;
    wheel.arm(timer.node, deadline);
    timer.armed = true;
    timer.due_tick = std::max(tick_at_or_after(deadline), latest_tick + 1);
  }
  void cancel(Timer& timer) {
    wheel.cancel(timer.node);
    timer.armed = false;
  }
  void advance(uint64_t to_ns) {
    now_ns = to_ns;
    const uint64_t target = to_ns / kTick;
    const uint64_t before = latest_tick;
    latest_tick = std::max(latest_tick, target);
    uint64_t last_tick = 0;
    wheel.advance(to_ns, [&](TimerNode& node) {
      Timer& timer = *reinterpret_cast<Timer*>(&node);
      REQUIRE(timer.armed);
      REQUIRE(!node.armed());
      REQUIRE(timer.due_tick <= target);
      REQUIRE(timer.due_tick > before);
      REQUIRE(timer.due_tick >= last_tick);
      last_tick = timer.due_tick;
      timer.armed = false;
      fired++;
      if (random() % 2 == 0) arm(timer);
      if (random() % 4 == 0) arm(any());
      if (random() % 4 == 0) cancel(any());
    });
  }
  void check() {
    uint64_t earliest = UINT64_MAX;
    uint64_t armed = 0;
    for (const Timer& timer : timers) {
      REQUIRE(timer.armed == timer.node.armed());
      if (!timer.armed) continue;
      REQUIRE(timer.due_tick > latest_tick);
      earliest = std::min(earliest, timer.due_tick);
      armed++;
    }
    REQUIRE(wheel.armed_count() == armed);
    const int timeout_ms = wheel.timeout_ms(now_ns);
    REQUIRE((timeout_ms == -1) == (armed == 0));
    if (armed == 0) return;
    REQUIRE(timeout_ms >= 0);
    const uint64_t wake_ns = now_ns + static_cast<uint64_t>(timeout_ms) * 1'000'000;
    REQUIRE(wake_ns / kTick <= earliest);
  }
};

static_assert(offsetof(Model::Timer, node) == 0);

}  // namespace

TEST_CASE("the wheel fires what a naive model fires, in its order, whatever the clock does") {
  const uint64_t starts[] = {0, 1, 12345 * kTick + 7, (kTurnTicks - 3) * kTick,
                             (5 * kTurnTicks - 256) * kTick - 1};
  uint64_t fired = 0;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    CAPTURE(seed);
    Model model(seed, starts[seed % std::size(starts)], 60);
    for (int step = 0; step < 400; step++) {
      switch (model.random() % 8) {
        case 0:
        case 1:
        case 2:
          model.arm(model.any());
          break;
        case 3:
          model.cancel(model.any());
          break;
        case 4:
          model.advance(model.now_ns);  // the clock stands still
          break;
        case 5:  // and goes back
          model.advance(model.now_ns - std::min(model.now_ns, model.random() % (20 * kTick)));
          break;
        default:
          model.advance(model.now_ns + model.some_span_ns());
          break;
      }
      model.check();
    }
    fired += model.fired;
  }
  CHECK(fired > 5000);
}

TEST_CASE("a loop that sleeps as told fires each timer in its tick, after a handful of wake-ups") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 2000; round++) {
    const uint64_t start_ns = random() >> (random() % 30 + 8);
    TimerWheel wheel(start_ns);
    TimerNode node;
    const uint64_t deadline_ns = start_ns + (random() >> (random() % 40 + 12));
    wheel.arm(node, deadline_ns);
    uint64_t now_ns = start_ns;
    int wake_ups = 0;
    bool fired = false;
    uint64_t slept_max_ms = 0;
    while (!fired) {
      const int timeout_ms = wheel.timeout_ms(now_ns);
      REQUIRE(timeout_ms >= 0);
      slept_max_ms = std::max(slept_max_ms, static_cast<uint64_t>(timeout_ms));
      now_ns += static_cast<uint64_t>(timeout_ms) * 1'000'000;
      wheel.advance(now_ns, [&](TimerNode&) { fired = true; });
      // Wake-ups at the bound of what an int of milliseconds holds are none of the wheel's.
      if (timeout_ms != INT32_MAX) wake_ups++;
      REQUIRE(wake_ups <= static_cast<int>(TimerWheel::kLevels) + 3);
    }
    CAPTURE(round);
    REQUIRE(now_ns >= deadline_ns);
    REQUIRE(now_ns < deadline_ns + 2 * kTick);
    REQUIRE(wheel.timeout_ms(now_ns) == -1);
  }
}

TEST_CASE("a deadline is met at or after its time, never before") {
  TimerWheel wheel(0);
  TimerNode node;
  int fired = 0;
  const auto count = [&](TimerNode&) { fired++; };
  wheel.arm(node, kTick * 10);
  wheel.advance(kTick * 10 - 1, count);
  CHECK(fired == 0);
  wheel.advance(kTick * 10, count);
  CHECK(fired == 1);
  wheel.arm(node, kTick * 20 + 1);
  wheel.advance(kTick * 20 + 1, count);  // its tick has not begun
  CHECK(fired == 1);
  wheel.advance(kTick * 21, count);
  CHECK(fired == 2);
}

TEST_CASE("moving a deadline later or earlier replaces it") {
  TimerWheel wheel(0);
  TimerNode node;
  std::vector<uint64_t> fired;
  const auto note = [&](TimerNode& due) { fired.push_back(due.deadline_tick); };
  wheel.arm(node, kTick * 5);
  wheel.arm(node, kTick * 5000);
  wheel.advance(kTick * 4999, note);
  CHECK(fired.empty());
  wheel.arm(node, kTick * 5001);
  CHECK(wheel.armed_count() == 1);
  wheel.advance(kTick * 9000, note);
  CHECK(fired == std::vector<uint64_t>{5001});
}

TEST_CASE("timers of one tick fire in the order in which they were armed") {
  TimerWheel wheel(0);
  TimerNode nodes[5];
  for (uint8_t i = 0; i < 5; i++) {
    nodes[i].kind = i;
    wheel.arm(nodes[i], kTick * 70'000);
  }
  std::vector<int> order;
  wheel.advance(kTick * 80'000, [&](TimerNode& node) { order.push_back(node.kind); });
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("what fires may cancel a neighbour in its tick, free itself, and arm itself again") {
  TimerWheel wheel(0);
  auto first = std::make_unique<TimerNode>();
  TimerNode second;
  TimerNode third;
  wheel.arm(*first, kTick * 300);
  wheel.arm(second, kTick * 300);
  wheel.arm(third, kTick * 300);
  int third_fired = 0;
  wheel.advance(kTick * 1000, [&](TimerNode& node) {
    if (&node == first.get()) {
      wheel.cancel(second);
      first.reset();
    } else {
      REQUIRE(&node == &third);
      third_fired++;
      // A deadline that has passed must not keep this advance() busy.
      wheel.arm(third, 0);
    }
  });
  CHECK(third_fired == 1);
  CHECK(wheel.armed_count() == 1);
  wheel.advance(kTick * 1001, [&](TimerNode&) { third_fired++; });
  CHECK(third_fired == 2);
}

TEST_CASE("cancelling what is not armed changes nothing") {
  TimerWheel wheel(0);
  TimerNode node;
  wheel.cancel(node);
  wheel.arm(node, kTick);
  wheel.cancel(node);
  wheel.cancel(node);
  CHECK(wheel.armed_count() == 0);
  CHECK(wheel.timeout_ms(0) == -1);
}
