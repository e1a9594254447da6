// PumpBench: what pumps share, over a scripted kernel; Lane: one direction between two scripted
// streams, whose far ends check every byte by its place.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/peer.h"
#include "support/scripted_sys.h"
#include "tcp/pump_turn.h"

namespace sluice::test {

inline constexpr size_t kScratchBytes = 65536;

struct BenchLimits {
  size_t scratch_bytes = kScratchBytes;
  uint32_t stashes_max = 8;
  uint32_t pipes_max = 8;
  uint32_t pipe_bytes = 256 * 1024;
  size_t turn_bytes = 1 << 20;
};

struct PumpBench {
  explicit PumpBench(const BenchLimits& limits = {})
      : scratch(limits.scratch_bytes),
        stashes(limits.stashes_max, static_cast<uint32_t>(limits.scratch_bytes)),
        pipes({.pipes_max = limits.pipes_max, .pipe_bytes = limits.pipe_bytes}),
        tools{.scratch = scratch,
              .stashes = stashes,
              .pipes = pipes,
              .counters = counters,
              .now_ns = now_ns,
              .turn_bytes = limits.turn_bytes} {}

  // What was written to a side and not yet taken by its far end.
  [[nodiscard]] size_t sent_to(const tcp::Side& side) {
    return kernel.peer_take(side.fd.get(), SIZE_MAX).size();
  }

  ScriptedKernel kernel;
  uint64_t now_ns = 1'000'000'000;
  shared::WorkerCounters counters{};
  std::vector<std::byte> scratch;
  tcp::StashStore stashes;
  os::PipeStore pipes;
  tcp::PumpTools tools;
};

class Lane {
 public:
  Lane(PumpBench& bench, uint32_t id, const StreamLimits& limits = {4 << 20, 4 << 20})
      : own_from_{.fd = bench.kernel.open_stream(limits), .writable = true},
        own_to_{.fd = bench.kernel.open_stream(limits), .writable = true},
        from(own_from_),
        to(own_to_),
        bench_(bench),
        id_(id) {}
  // The opposite direction between the same two sides.
  Lane(PumpBench& bench, uint32_t id, Lane& other)
      : from(other.to), to(other.from), bench_(bench), id_(id) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  ~Lane() { tcp::drop_unsent(pump, bench_.tools); }

 private:
  tcp::Side own_from_;
  tcp::Side own_to_;

 public:
  tcp::Side& from;
  tcp::Side& to;
  tcp::Pump pump;

  // The source's far end sends the next bytes of the stream, as many as fit.
  size_t source_sends(size_t count) {
    std::vector<std::byte> bytes(count);
    fill_stream(id_, sent_, bytes);
    const size_t taken = bench_.kernel.peer_send(from.fd.get(), bytes);
    sent_ += taken;
    return taken;
  }
  // The sink's far end takes what is there, at most `count`, and checks it.
  size_t sink_takes(size_t count) {
    const std::vector<std::byte> got = bench_.kernel.peer_take(to.fd.get(), count);
    std::vector<std::byte> expected(got.size());
    fill_stream(id_, taken_, expected);
    if (got != expected) wrong_ = true;
    taken_ += got.size();
    return got.size();
  }
  // What epoll_wait would bring now.
  void note_events() {
    for (const Ready& ready : bench_.kernel.ready()) note(ready);
  }
  void note(const Ready& ready) {
    if (ready.fd == from.fd.get()) from.note(ready.events);
    if (ready.fd == to.fd.get()) to.note(ready.events);
  }
  tcp::PumpTurn run() { return tcp::run_pump<ScriptedSys>(pump, from, to, bench_.tools); }
  // As a worker does: events, then turns until the direction would block.
  void turn() {
    note_events();
    while (run().budget_used) {
    }
  }
  // The far end takes everything, as fast as it comes.
  void drain() {
    do {
      turn();
    } while (sink_takes(SIZE_MAX) > 0);
    CHECK_FALSE(wrong_);
  }
  // Enough full reads to stream, all delivered.
  void stream() {
    source_sends(5 * kScratchBytes);
    turn();
    drain();
  }
  [[nodiscard]] uint64_t sent() const { return sent_; }
  [[nodiscard]] uint64_t taken() const {
    CHECK_FALSE(wrong_);
    return taken_;
  }

 private:
  PumpBench& bench_;
  uint32_t id_;
  uint64_t sent_ = 0;
  uint64_t taken_ = 0;
  bool wrong_ = false;
};

}  // namespace sluice::test
