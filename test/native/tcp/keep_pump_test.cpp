// A direction that keeps its first bytes, over a scripted kernel: sinks fail at any moment, and the
// next one gets everything from the first byte on.
#include "tcp/keep_pump.h"

#include <doctest/doctest.h>

#include <random>

#include "support/pump_bench.h"
#include "support/seed.h"

namespace sluice::test {
namespace {

using tcp::SinkState;
using tcp::SourceState;

constexpr uint32_t kStream = 1;

// One source and a row of sinks, of which the last one counts.
class Row {
 public:
  explicit Row(uint64_t seed) : random_(seed) {
    Chaos chaos;
    chaos.seed = seed ^ 0x5eed;
    chaos.short_percent = below(40);
    chaos.blocked_percent = below(30);
    bench_.kernel.chaos(chaos);
    from_ = {.fd = bench_.kernel.open_stream({1 + below(20'000), 1 + below(20'000)}),
             .writable = true};
    pump_.keep_kib = static_cast<uint8_t>(1 + below(8));
    total_ = below(3 * 1024 * pump_.keep_kib);
    take_another_sink();
  }
  ~Row() { tcp::drop_unsent(pump_, bench_.tools); }
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;

  void run() {
    for (int i = 0; i < 400; i++) {
      source_sends();
      if (below(3) > 0) turn();
      sink_takes(1 + below(5000));
      if (below(20) == 0 && pump_.keeps()) fail_sink();
    }
    while (sent_ < total_) {
      source_sends();
      turn();
      sink_takes(SIZE_MAX);
    }
    bench_.kernel.peer_finish(from_.fd.get());
    // As its target's first byte would.
    if (pump_.keeps() && below(2) == 0) tcp::stop_keeping(pump_, bench_.tools);
    do {
      turn();
    } while (sink_takes(SIZE_MAX) > 0 || pump_.holds_unsent() || pump_.source == SourceState::open);
  }
  void check() {
    CHECK_FALSE(wrong_);
    CHECK(taken_ == total_);
    CHECK(pump_.moved_bytes == total_);
    CHECK(pump_.source == SourceState::ended);
    CHECK_FALSE(pump_.streaming);
    CHECK(bench_.stashes.in_use() == (pump_.keeps() && total_ > 0 ? 1 : 0));
    tcp::stop_keeping(pump_, bench_.tools);
    CHECK(bench_.stashes.in_use() == 0);
    CHECK(bench_.counters.stashes_in_use.load() == 0);
  }
  [[nodiscard]] uint32_t sinks() const { return sinks_; }

 private:
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }

  void take_another_sink() {
    to_ = {.fd = bench_.kernel.open_stream({1 + below(20'000), 1 + below(20'000)}),
           .writable = true};
    taken_ = 0;
    sinks_++;
  }
  // It resets, which a write may meet, or just ends; and there is another one.
  void fail_sink() {
    if (below(2) == 0) {
      bench_.kernel.peer_reset(to_.fd.get());
      turn();
      if (!pump_.keeps()) tcp::stop_keeping(pump_, bench_.tools);
    }
    if (!pump_.keeps()) {
      // It was more than is kept, found in this very turn: here the test is over.
      lost_ = true;
      return;
    }
    tcp::rewind_kept(pump_);
    take_another_sink();
  }
  void source_sends() {
    const auto count = std::min<uint64_t>(1 + below(3000), total_ - sent_);
    std::vector<std::byte> bytes(count);
    fill_stream(kStream, sent_, bytes);
    sent_ += bench_.kernel.peer_send(from_.fd.get(), bytes);
  }
  size_t sink_takes(size_t count) {
    const std::vector<std::byte> got = bench_.kernel.peer_take(to_.fd.get(), count);
    std::vector<std::byte> expected(got.size());
    fill_stream(kStream, taken_, expected);
    if (got != expected) wrong_ = true;
    taken_ += got.size();
    return got.size();
  }
  void turn() {
    for (const Ready& ready : bench_.kernel.ready()) {
      if (ready.fd == from_.fd.get()) from_.note(ready.events);
      if (ready.fd == to_.fd.get()) to_.note(ready.events);
    }
    while (tcp::run_pump<ScriptedSys>(pump_, from_, to_, bench_.tools).budget_used) {
    }
  }

  std::mt19937_64 random_;
  PumpBench bench_;
  tcp::Side from_;
  tcp::Side to_;
  tcp::Pump pump_;
  uint64_t total_ = 0;
  uint64_t sent_ = 0;
  uint64_t taken_ = 0;
  uint32_t sinks_ = 0;
  bool wrong_ = false;

 public:
  bool lost_ = false;
};

TEST_CASE("whatever sinks fail before it, the last one gets every byte from the first on") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  uint32_t replaced = 0;
  for (uint64_t run = 0; run < 300; run++) {
    CAPTURE(run);
    Row row(seed + run);
    row.run();
    if (row.lost_) continue;
    row.check();
    replaced += row.sinks() - 1;
  }
  CHECK(replaced > 100);
}

TEST_CASE("a sink that fails takes nothing of what is kept, and nothing more is read") {
  PumpBench bench;
  Lane lane(bench, kStream);
  lane.pump.keep_kib = 16;
  lane.source_sends(1000);
  lane.turn();
  bench.kernel.script(Call::send, Outcome::failure(ECONNRESET));
  lane.source_sends(500);
  lane.turn();
  CHECK(lane.pump.sink == SinkState::failed);
  lane.source_sends(500);
  const uint64_t reads = bench.kernel.calls(Call::recv);
  lane.turn();
  CHECK(bench.kernel.calls(Call::recv) == reads);
  CHECK(lane.pump.stash_end == 1500);
  tcp::stop_keeping(lane.pump, bench.tools);
  CHECK(bench.stashes.in_use() == 0);
  // As for any sink that is gone: what still comes is thrown away.
  lane.turn();
  CHECK(bench.kernel.unread(lane.from.fd.get()) == 0);
}

}  // namespace
}  // namespace sluice::test
