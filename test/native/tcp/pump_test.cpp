// One direction over a scripted kernel: each rule of moving bytes, and what a pump says it has met.
#include <doctest/doctest.h>

#include <cerrno>

#include "support/pump_bench.h"

namespace sluice::test {
namespace {

using tcp::SinkState;
using tcp::SourceState;

TEST_CASE("a small message costs one recv and one send") {
  PumpBench bench;
  Lane lane(bench, 1);
  for (int i = 0; i < 10; i++) {
    lane.source_sends(100);
    lane.turn();
    lane.sink_takes(100);
  }
  CHECK(bench.kernel.calls(Call::recv) == 10);
  CHECK(bench.kernel.calls(Call::send) == 10);
  CHECK(lane.taken() == 1000);
}

TEST_CASE("a FIN behind the data is found although the read before it was short") {
  PumpBench bench;
  Lane lane(bench, 1);
  lane.source_sends(100);
  bench.kernel.peer_finish(lane.from.fd.get());
  lane.turn();
  CHECK(lane.pump.source == SourceState::ended);
  lane.sink_takes(100);
  CHECK(lane.taken() == 100);
}

TEST_CASE("the last bytes before a FIN that is in wait for ours, all earlier ones do not") {
  PumpBench bench;
  Lane lane(bench, 1);
  lane.source_sends(100);
  lane.turn();
  CHECK_FALSE(bench.kernel.waits_for_fin(lane.to.fd.get()));
  // A full read may have more behind it.
  lane.source_sends(kScratchBytes);
  lane.source_sends(100);
  bench.kernel.peer_finish(lane.from.fd.get());
  lane.note_events();
  bench.kernel.script(Call::recv, Outcome::at_most(kScratchBytes));
  bench.kernel.script(Call::recv, Outcome::failure(ENOMEM));
  lane.run();
  CHECK_FALSE(bench.kernel.waits_for_fin(lane.to.fd.get()));
  lane.pump.source = SourceState::open;
  lane.from.readable = true;
  lane.run();
  CHECK(bench.kernel.waits_for_fin(lane.to.fd.get()));
  CHECK(lane.pump.source == SourceState::ended);
}

TEST_CASE("bytes are not held back when the source was reset, or sent an urgent byte") {
  for (const uint32_t events :
       {EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP, EPOLLIN | EPOLLRDHUP | EPOLLPRI}) {
    PumpBench bench;
    Lane lane(bench, 1);
    lane.source_sends(100);
    bench.kernel.peer_finish(lane.from.fd.get());
    lane.note({lane.from.fd.get(), events});
    lane.run();
    CHECK(lane.sink_takes(200) == 100);
    CHECK_FALSE(bench.kernel.waits_for_fin(lane.to.fd.get()));
  }
}

TEST_CASE("a FIN that comes after the events were fetched is found by its own edge") {
  PumpBench bench;
  Lane lane(bench, 1);
  lane.source_sends(100);
  lane.note_events();
  bench.kernel.peer_finish(lane.from.fd.get());
  lane.run();
  lane.turn();
  CHECK(lane.pump.source == SourceState::ended);
}

TEST_CASE("pending output stops reading") {
  PumpBench bench;
  Lane lane(bench, 1, {.receive_bytes = 1 << 20, .send_bytes = 10'000});
  lane.source_sends(60'000);
  lane.turn();
  CHECK(lane.pump.holds_unsent());
  const uint64_t reads = bench.kernel.calls(Call::recv);
  lane.source_sends(60'000);
  lane.turn();
  CHECK(bench.kernel.calls(Call::recv) == reads);
  CHECK(bench.kernel.unread(lane.from.fd.get()) == 60'000);
  lane.drain();
  CHECK(lane.taken() == 120'000);
  CHECK(bench.tools.stashes.in_use() == 0);
}

TEST_CASE("three full reads in a row make a direction stream, two small moves end it") {
  PumpBench bench;
  Lane lane(bench, 1);
  lane.source_sends(2 * kScratchBytes);
  lane.turn();
  CHECK_FALSE(lane.pump.streaming);
  lane.drain();
  lane.source_sends(4 * kScratchBytes);
  lane.turn();
  CHECK(lane.pump.streaming);
  CHECK(bench.kernel.calls(Call::splice_in) > 0);
  lane.drain();
  for (int i = 0; i < 3; i++) {
    lane.source_sends(64);
    lane.turn();
    lane.drain();
  }
  CHECK_FALSE(lane.pump.streaming);
  CHECK(lane.taken() == 6 * kScratchBytes + 3 * 64);
}

TEST_CASE("a streaming direction holds no pipe while it is dry") {
  PumpBench bench;
  Lane lane(bench, 1);
  lane.stream();
  CHECK(lane.pump.streaming);
  CHECK(lane.pump.pipe == nullptr);
  CHECK(bench.tools.pipes.in_use() == 0);
}

TEST_CASE("a stream that was idle for a second is copied again") {
  PumpBench bench;
  Lane lane(bench, 1);
  lane.stream();
  bench.now_ns += 2 * tcp::kStreamIdleNs;
  const uint64_t splices = bench.kernel.calls(Call::splice_in);
  lane.source_sends(64);
  lane.turn();
  CHECK(bench.kernel.calls(Call::splice_in) == splices);
  lane.drain();
  CHECK(lane.taken() == lane.sent());
}

TEST_CASE("with no pipe left a stream stays on copy and says so") {
  PumpBench bench({.pipes_max = 1});
  os::Pipe* const held = bench.tools.pipes.take();
  Lane lane(bench, 1);
  lane.source_sends(5 * kScratchBytes);
  lane.turn();
  lane.drain();
  CHECK(bench.kernel.calls(Call::splice_in) == 0);
  CHECK(bench.counters.pipes_exhausted.load() > 0);
  CHECK(lane.taken() == 5 * kScratchBytes);
  bench.tools.pipes.give(held);
}

TEST_CASE("a kernel that refuses splice makes the direction copy for good, and loses nothing") {
  PumpBench bench;
  Lane lane(bench, 1);
  bench.kernel.script(Call::splice_in, Outcome::failure(EINVAL));
  // The model takes a failed call for a dead socket; EINVAL is not: only the pump's side is looked
  // at here.
  lane.source_sends(3 * kScratchBytes);
  lane.source_sends(kScratchBytes);
  lane.turn();
  CHECK(lane.pump.copy_only);
  CHECK_FALSE(lane.pump.streaming);
  CHECK(bench.tools.splice);
  CHECK(bench.tools.pipes.in_use() == 0);
  lane.drain();
  CHECK(lane.taken() == 4 * kScratchBytes);
}

TEST_CASE("a kernel without splice is asked once per worker") {
  PumpBench bench;
  Lane first(bench, 1);
  bench.kernel.script(Call::splice_in, Outcome::failure(ENOSYS));
  first.source_sends(4 * kScratchBytes);
  first.turn();
  CHECK_FALSE(bench.tools.splice);
  Lane second(bench, 2);
  second.source_sends(8 * kScratchBytes);
  second.turn();
  second.drain();
  CHECK(bench.kernel.calls(Call::splice_in) == 1);
  CHECK(second.taken() == 8 * kScratchBytes);
}

// Pitfall 2.
TEST_CASE("a pipe whose sink has failed is closed, not kept") {
  PumpBench bench({.pipes_max = 1});
  Lane lane(bench, 1, {.receive_bytes = 1 << 20, .send_bytes = 300'000});
  lane.source_sends(6 * kScratchBytes);
  lane.turn();
  CHECK(lane.pump.pipe != nullptr);
  CHECK(lane.pump.pipe->bytes > 0);
  bench.kernel.peer_reset(lane.to.fd.get());
  lane.turn();
  CHECK(lane.pump.sink == SinkState::failed);
  CHECK(bench.tools.pipes.in_use() == 0);
  CHECK(bench.tools.pipes.open_count() == 0);
}

TEST_CASE("without a stash the bytes that the sink does not take stay in the kernel") {
  PumpBench bench({.stashes_max = 0});
  Lane lane(bench, 1, {.receive_bytes = 1 << 20, .send_bytes = 10'000});
  lane.source_sends(50'000);
  lane.turn();
  CHECK_FALSE(lane.pump.holds_unsent());
  CHECK(bench.kernel.unread(lane.from.fd.get()) == 40'000);
  CHECK(bench.counters.stash_exhausted.load() > 0);
  bench.kernel.peer_finish(lane.from.fd.get());
  lane.drain();
  CHECK(lane.taken() == 50'000);
  CHECK(lane.pump.source == SourceState::ended);
}

TEST_CASE("a turn ends at its budget and the next one needs no event") {
  PumpBench bench({.turn_bytes = 2 * kScratchBytes});
  Lane lane(bench, 1, {.receive_bytes = 8 << 20, .send_bytes = 8 << 20});
  lane.source_sends(20 * kScratchBytes);
  lane.note_events();
  tcp::PumpTurn turn = lane.run();
  CHECK(turn.budget_used);
  CHECK(turn.moved_bytes() <= 3 * kScratchBytes);
  int turns = 1;
  while (turn.budget_used) {
    turn = lane.run();
    turns++;
  }
  CHECK(turns >= 10);
  lane.drain();
  CHECK(lane.taken() == 20 * kScratchBytes);
}

TEST_CASE("what was received before a reset is delivered, then the reset is told") {
  PumpBench bench;
  Lane lane(bench, 1, {.receive_bytes = 1 << 20, .send_bytes = 10'000});
  lane.source_sends(90'000);
  bench.kernel.peer_reset(lane.from.fd.get());
  lane.turn();
  CHECK_FALSE(lane.pump.over());
  lane.drain();
  CHECK(lane.taken() == 90'000);
  CHECK(lane.pump.source == SourceState::failed);
  CHECK(lane.pump.error == ECONNRESET);
  CHECK(lane.pump.over());
}

// The kernel tells a reset once. When a write has met it, the read that drains the socket ends
// with 0, which is no FIN.
TEST_CASE("a reset that a write has met is a reset for the reader too") {
  PumpBench bench;
  Lane lane(bench, 1);
  Lane back(bench, 2, lane);
  back.source_sends(1000);
  bench.kernel.peer_reset(lane.to.fd.get());
  lane.source_sends(10);
  lane.note_events();
  lane.run();
  CHECK(lane.pump.sink == SinkState::failed);
  back.run();
  CHECK(bench.sent_to(lane.from) == 1000);
  CHECK(back.pump.source == SourceState::failed);
  CHECK(back.pump.error == ECONNRESET);
}

TEST_CASE("EPIPE after a FIN leaves the FIN a FIN") {
  PumpBench bench;
  Lane lane(bench, 1);
  Lane back(bench, 2, lane);
  back.source_sends(1000);
  bench.kernel.peer_finish(lane.to.fd.get());
  bench.kernel.peer_reset(lane.to.fd.get(), EPIPE);
  lane.source_sends(10);
  lane.note_events();
  lane.run();
  back.run();
  CHECK(bench.sent_to(lane.from) == 1000);
  CHECK(back.pump.source == SourceState::ended);
}

TEST_CASE("with its sink gone a direction reads and throws away until its source ends") {
  PumpBench bench;
  Lane lane(bench, 1);
  bench.kernel.peer_reset(lane.to.fd.get());
  lane.source_sends(200'000);
  bench.kernel.peer_finish(lane.from.fd.get());
  lane.turn();
  CHECK(bench.kernel.unread(lane.from.fd.get()) == 0);
  CHECK(lane.pump.over());
  CHECK(lane.pump.moved_bytes == 0);
}

TEST_CASE("a source with an urgent byte is never spliced and read to its end") {
  PumpBench bench;
  Lane lane(bench, 1);
  lane.from.note(EPOLLIN | EPOLLPRI);
  lane.source_sends(6 * kScratchBytes);
  lane.turn();
  lane.drain();
  CHECK(bench.kernel.calls(Call::splice_in) == 0);
  CHECK(lane.taken() == 6 * kScratchBytes);
}

}  // namespace
}  // namespace sluice::test
