// Pumps under a random kernel: several directions share few stashes and pipes, every call may fall
// short or block, ends and resets come at any moment. Whatever happens, bytes keep their place,
// nothing stalls while something could move, and nothing is held at the end.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "support/pump_bench.h"
#include "support/seed.h"

namespace sluice::test {
namespace {

using tcp::SinkState;
using tcp::SourceState;

constexpr uint32_t kLanesMax = 5;

enum class Fate : uint8_t { finishes, source_resets, sink_resets };

struct Plan {
  std::unique_ptr<Lane> lane;
  uint64_t total = 0;
  uint64_t fate_at = 0;  // a byte count, for the two resets
  Fate fate = Fate::finishes;
  bool fate_met = false;
};

class World {
 public:
  World(uint64_t seed, const BenchLimits& limits) : random_(seed), bench_(limits) {
    Chaos chaos;
    chaos.seed = seed ^ 0x5eed;
    chaos.short_percent = below(40);
    // Without a stash the pump peeks, and a real kernel never takes back what it has shown.
    if (limits.stashes_max >= kLanesMax) chaos.blocked_percent = below(30);
    bench_.kernel.set_slot_bytes(1 + below(8192));
    bench_.kernel.chaos(chaos);
    const uint32_t lanes = 1 + below(kLanesMax);
    for (uint32_t id = 0; id < lanes; id++) {
      Plan& plan = plans_.emplace_back();
      const StreamLimits buffers{1 + below(200'000), 1 + below(200'000)};
      plan.lane = std::make_unique<Lane>(bench_, id, buffers);
      plan.total = below(1U << (1 + below(20)));
      plan.fate = static_cast<Fate>(std::min(below(6), 2U));
      plan.fate_at = plan.total / 2;
    }
  }

  // A few thousand random happenings, then everybody behaves until nothing moves any more.
  void run() {
    for (int i = 0; i < 3000; i++) {
      happen(plans_[below(static_cast<uint32_t>(plans_.size()))], 1 + below(30'000));
      if (below(3) == 0) turns();
    }
    bool moved = true;
    while (moved) {
      moved = false;
      for (Plan& plan : plans_) moved |= happen(plan, 1'000'000);
      moved |= turns();
    }
  }

  void check() {
    for (Plan& plan : plans_) {
      const tcp::Pump& pump = plan.lane->pump;
      CAPTURE(static_cast<int>(plan.fate));
      CAPTURE(plan.total);
      switch (plan.fate) {
        case Fate::finishes:
          CHECK(plan.lane->taken() == plan.total);
          CHECK(pump.source == SourceState::ended);
          break;
        case Fate::source_resets:
          CHECK(plan.lane->taken() == plan.lane->sent());
          CHECK(pump.source == SourceState::failed);
          break;
        case Fate::sink_resets:
          CHECK(plan.lane->taken() <= plan.lane->sent());
          // Only a write can meet it: a source that had nothing left to send may end cleanly.
          CHECK(pump.over());
          break;
      }
      CHECK(pump.moved_bytes >= plan.lane->taken());
      CHECK_FALSE(pump.holds_unsent());
    }
    CHECK(bench_.stashes.in_use() == 0);
    CHECK(bench_.pipes.in_use() == 0);
    CHECK_FALSE(piped_into_bytes_);
  }

 private:
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }

  // The far ends of one lane do something; false when there was nothing to do.
  bool happen(Plan& plan, size_t amount) {
    Lane& lane = *plan.lane;
    bool acted = lane.sink_takes(amount) > 0;
    if (plan.fate_met) return acted;
    const uint64_t goal = plan.fate == Fate::source_resets ? plan.fate_at : plan.total;
    if (lane.sent() < goal) acted |= lane.source_sends(std::min(amount, goal - lane.sent())) > 0;
    if (plan.fate == Fate::sink_resets && lane.sent() >= plan.fate_at) {
      bench_.kernel.peer_reset(lane.to.fd.get());
      plan.fate_met = true;
      bench_.kernel.peer_finish(lane.from.fd.get());
      return true;
    }
    if (lane.sent() < goal) return acted;
    if (plan.fate == Fate::source_resets) {
      bench_.kernel.peer_reset(lane.from.fd.get());
    } else {
      bench_.kernel.peer_finish(lane.from.fd.get());
    }
    plan.fate_met = true;
    return true;
  }

  // What one turn of a worker's loop does; false when there was no event and no one was ready.
  bool turns() {
    const std::vector<Ready> events = bench_.kernel.ready();
    for (const Ready& ready : events) {
      for (Plan& plan : plans_) plan.lane->note(ready);
    }
    bool ran = false;
    for (Plan& plan : plans_) {
      Lane& lane = *plan.lane;
      if (!lane.pump.can_move(lane.from, lane.to)) continue;
      ran = true;
      lane.run();
      const os::Pipe* pipe = lane.pump.pipe;
      // Between turns a pipe is held only with bytes in it, and they are counted right.
      if (pipe != nullptr &&
          (pipe->bytes == 0 || bench_.kernel.pipe_bytes(pipe->read.get()) != pipe->bytes)) {
        piped_into_bytes_ = true;
      }
    }
    return ran || !events.empty();
  }

  std::mt19937_64 random_;
  PumpBench bench_;
  std::vector<Plan> plans_;
  bool piped_into_bytes_ = false;
};

void explore(uint64_t first_seed, const BenchLimits& limits, int worlds) {
  for (int i = 0; i < worlds; i++) {
    const uint64_t seed = first_seed + static_cast<uint64_t>(i);
    CAPTURE(seed);
    World world(seed, limits);
    world.run();
    world.check();
  }
}

TEST_CASE("no byte is lost, moved or stalled when copying and streaming take turns") {
  explore(fresh_seed(), {.scratch_bytes = 1024, .pipes_max = 2}, 60);
}
TEST_CASE("no byte is lost, moved or stalled with tiny turns") {
  explore(fresh_seed(), {.scratch_bytes = 512, .pipes_max = 1, .turn_bytes = 700}, 40);
}
TEST_CASE("no byte is lost, moved or stalled without stashes") {
  explore(fresh_seed(), {.scratch_bytes = 2048, .stashes_max = 0, .pipes_max = 1}, 40);
}
TEST_CASE("no byte is lost, moved or stalled while one stash must do for all") {
  explore(fresh_seed(), {.scratch_bytes = 4096, .stashes_max = 1, .pipes_max = 1}, 40);
}
TEST_CASE("no byte is lost, moved or stalled without pipes") {
  explore(fresh_seed(), {.scratch_bytes = 4096, .pipes_max = 0}, 40);
}

}  // namespace
}  // namespace sluice::test
