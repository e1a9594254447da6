// Turns: the rule against a model that looks at the whole history, and turns over real sockets.
#include "tcp/turn.h"

#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "support/pace.h"
#include "support/peer.h"
#include "support/seed.h"
#include "support/tcp_loop.h"

namespace sluice::tcp {
namespace {

using test::eventually;
using test::Peer;

// One step of the pumps: which way bytes moved, in which turn of the loop.
struct Step {
  uint64_t loop;
  bool to_target;
  bool to_client;
};

// Says from the whole history, without any state: the client waits when the last loop turn with
// its bytes is not before the last one with the target's.
struct History {
  std::vector<Step> steps;

  [[nodiscard]] uint64_t last(bool Step::* way) const {
    uint64_t loop = 0;
    for (const Step& step : steps) {
      if (step.*way) loop = step.loop;
    }
    return loop;
  }
  [[nodiscard]] bool waiting() const {
    const uint64_t asked = last(&Step::to_target);
    return asked != 0 && asked >= last(&Step::to_client);
  }
  [[nodiscard]] bool crossed(uint64_t loop) const {
    bool up = false;
    bool down = false;
    for (const Step& step : steps) {
      up |= step.loop == loop && step.to_target;
      down |= step.loop == loop && step.to_client;
    }
    return up && down;
  }
  // Has no loop turn since the turn began crossed it?
  [[nodiscard]] bool clean(uint64_t began) const {
    for (const Step& step : steps) {
      if (step.loop >= began && crossed(step.loop)) return false;
    }
    return true;
  }
};

TEST_CASE("a turn goes as the whole history says, whatever moves when") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; round++) {
    Turn turn;
    History history;
    uint64_t loop = 1;
    uint64_t began = 0;
    // From streams that hardly ever cross to such that nearly always do.
    const uint64_t hurry = 1 + random() % 20;
    for (int i = 0; i < 60; i++) {
      if (random() % 20 < hurry) loop++;
      Step step{loop, random() % 2 == 0, random() % 4 == 0};
      if (!step.to_target && !step.to_client) step.to_client = true;
      const bool waited = history.waiting();
      history.steps.push_back(step);
      const bool crossed = history.crossed(loop);
      if (!waited && history.waiting()) began = loop;
      const bool measurable = turn.measurable();
      const TurnStep came = turn.step({step.to_target, step.to_client, crossed});
      CAPTURE(i);
      REQUIRE(turn.waiting() == history.waiting());
      if (!waited) {
        REQUIRE(came == (history.waiting() ? TurnStep::began : TurnStep::none));
      } else if (history.waiting()) {
        REQUIRE(came == (step.to_client ? TurnStep::crossed : TurnStep::went_on));
      } else {
        REQUIRE(came == (measurable ? TurnStep::answered : TurnStep::unmeasured));
        if (came == TurnStep::answered) REQUIRE(history.clean(began));
      }
    }
  }
}

TEST_CASE("questions and answers one after the other are all measured") {
  Turn turn;
  for (int i = 0; i < 100; i++) {
    CHECK(turn.step({true, false, false}) == TurnStep::began);
    CHECK(turn.step({true, false, false}) == TurnStep::went_on);
    CHECK(turn.step({false, true, false}) == TurnStep::answered);
    CHECK(turn.step({false, true, false}) == TurnStep::none);
  }
}

TEST_CASE("a target that speaks first, or unasked, makes no turn") {
  Turn turn;
  CHECK(turn.step({false, true, false}) == TurnStep::none);
  CHECK_FALSE(turn.waiting());
  CHECK_FALSE(turn.abandon());
}

TEST_CASE("a stream that crosses twice is not measured until eight clean turns later") {
  Turn turn;
  // The first makes no more than its own turn unmeasurable.
  CHECK(turn.step({true, true, true}) == TurnStep::began);
  CHECK(turn.step({false, true, false}) == TurnStep::unmeasured);
  CHECK(turn.step({true, false, false}) == TurnStep::began);
  CHECK(turn.step({false, true, false}) == TurnStep::answered);
  CHECK(turn.step({true, true, true}) == TurnStep::began);
  CHECK(turn.step({true, true, true}) == TurnStep::crossed);
  CHECK(turn.step({false, true, false}) == TurnStep::unmeasured);
  int unmeasured = 0;
  for (int i = 0; i < 20; i++) {
    CHECK(turn.step({true, false, false}) == TurnStep::began);
    if (turn.step({false, true, false}) == TurnStep::unmeasured) unmeasured++;
  }
  CHECK(unmeasured == 8);
}

// A client and a target that answers, through a worker's loop.
struct Line {
  test::TableDraft draft;
  test::PeerListener listener;
  test::TcpLoop loop;
  Peer client;
  Peer target;

  explicit Line(const shared::EngineOptions& options = test::TcpLoop::options())
      : listener(test::v4(0)), loop(options) {
    draft.listen_on(test::v4(0));
    draft.targets = {listener.address()};
    loop.adopt(draft);
    client = Peer::connect(draft.address());
    target = listener.accept();
  }
  [[nodiscard]] uint32_t waiting() { return loop.turns(0).active_turns.load(); }
  [[nodiscard]] uint64_t measured() { return test::TcpLoop::counted(loop.responses(0)); }
  // The answer has been received, so it has been counted or is about to be.
  [[nodiscard]] bool settled() {
    return eventually([this] { return waiting() == 0; });
  }
  void ask(uint64_t bytes = 50) {
    REQUIRE(client.send(1, bytes) == bytes);
    REQUIRE(target.receive(1, bytes).bytes == bytes);
  }
  void answer(uint64_t bytes = 500) {
    REQUIRE(target.send(2, bytes) == bytes);
    REQUIRE(client.receive(2, bytes).bytes == bytes);
  }
};

TEST_CASE("a target's response time is what passes between question and answer") {
  Line line;
  constexpr uint64_t kThinkUs = 20'000;
  for (uint64_t turn = 1; turn <= 3; turn++) {
    line.ask();
    REQUIRE(eventually([&] { return line.waiting() == 1; }));
    test::pace(std::chrono::microseconds(kThinkUs));
    line.answer();
    REQUIRE(line.settled());
    REQUIRE(eventually([&] { return line.measured() == turn; }));
  }
  const uint64_t sum_us = line.loop.responses(0).sum.load();
  CHECK(sum_us >= 3 * kThinkUs * 9 / 10);
  CHECK(line.loop.turns(0).response_us.load() >= kThinkUs * 9 / 10);
  CHECK(line.loop.target(0).turns_unmeasured.load() == 0);
}

TEST_CASE("connects tell how a target is until a turn has, and anew once another has its slot") {
  Line line;
  shared::TurnSignals& signals = line.loop.turns(0);
  const auto connects = [&] {
    const uint64_t before = line.loop.target(0).connections_opened.load();
    const Peer client = Peer::connect(line.draft.address());
    const Peer target = line.listener.accept();
    REQUIRE(
        eventually([&] { return line.loop.target(0).connections_opened.load() == before + 1; }));
    // A turn of the loop later, whatever went with the connect has been written.
    line.loop.call([](TcpWorker&) {});
  };
  CHECK(eventually([&] { return signals.response_us.load() > 0; }));
  line.ask();
  line.answer();
  REQUIRE(eventually([&] { return line.measured() == 1; }));
  line.loop.call([](TcpWorker&) {});
  signals.response_us = 0;
  connects();
  CHECK(signals.response_us.load() == 0);
  // As the coordinator does.
  signals.measured = false;
  connects();
  CHECK(signals.response_us.load() > 0);
}

TEST_CASE("a greeting is no turn, the answer to what follows it is") {
  Line line;
  line.answer(80);
  CHECK(line.waiting() == 0);
  CHECK(line.measured() == 0);
  line.ask();
  line.answer();
  CHECK(eventually([&] { return line.measured() == 1; }));
}

TEST_CASE("a turn outlives the client's FIN, and ends with the target's") {
  Line line;
  line.ask();
  line.client.finish();
  REQUIRE(line.target.receive(1).ending == test::Ending::eof);
  CHECK(line.waiting() == 1);
  line.answer();
  CHECK(line.settled());
  CHECK(eventually([&] { return line.measured() == 1; }));

  Line other;
  other.ask();
  REQUIRE(eventually([&] { return other.waiting() == 1; }));
  other.target.finish();
  REQUIRE(other.client.receive(2).ending == test::Ending::eof);
  CHECK(other.settled());
  CHECK(other.measured() == 0);
}

TEST_CASE("a streamed question and a streamed answer are one turn") {
  // Each segment of the peers fills several reads, so that they are spliced however late we read.
  shared::EngineOptions options = test::TcpLoop::options();
  options.scratch_bytes = 4096;
  Line line(options);
  constexpr uint64_t kBytes = 4 << 20U;
  std::thread asks([&] { REQUIRE(line.client.send(1, kBytes) == kBytes); });
  REQUIRE(line.target.receive(1, kBytes).bytes == kBytes);
  asks.join();
  CHECK(line.waiting() == 1);
  std::thread answers([&] { REQUIRE(line.target.send(2, kBytes) == kBytes); });
  REQUIRE(line.client.receive(2, kBytes).bytes == kBytes);
  answers.join();
  CHECK(line.settled());
  CHECK(eventually([&] { return line.measured() == 1; }));
  CHECK(line.loop.worker().spliced_bytes.load() > 0);
}

TEST_CASE("a stream that is busy both ways is not measured, and leaves the time of its connect") {
  Line line;
  // The kernel has the target's side connected before the worker hears of it.
  CHECK(eventually([&] { return line.loop.turns(0).response_us.load() > 0; }));
  const uint32_t connect_us = line.loop.turns(0).response_us.load();
  constexpr uint64_t kRounds = 20;
  constexpr uint64_t kBytes = 1000;
  for (uint64_t round = 0; round < kRounds; round++) {
    // The loop stands still meanwhile, so that it fetches both ways' events at once.
    line.loop.call([&](TcpWorker&) {
      REQUIRE(line.client.send(1, kBytes) == kBytes);
      REQUIRE(line.target.send(2, kBytes) == kBytes);
    });
    REQUIRE(line.target.receive(1, kBytes).bytes == kBytes);
    REQUIRE(line.client.receive(2, kBytes).bytes == kBytes);
  }
  // Of two events the target's may be the first: then its turn ends with the next round's.
  CHECK(eventually([&] { return line.loop.target(0).turns_unmeasured.load() >= kRounds - 1; }));
  CHECK(line.measured() == 0);
  CHECK(line.loop.turns(0).response_us.load() == connect_us);
}

TEST_CASE("connections that end in any way in the middle of turns leave none behind") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  test::TableDraft draft;
  test::PeerListener listener(test::v4(0));
  test::TcpLoop loop;
  draft.listen_on(test::v4(0));
  draft.targets = {listener.address()};
  loop.adopt(draft);
  constexpr uint64_t kConnections = 300;
  for (uint64_t i = 0; i < kConnections; i++) {
    Peer client = Peer::connect(draft.address());
    Peer target = listener.accept();
    if (random() % 2 == 0) (void)target.send(2, 20);
    const uint64_t asked = 1 + random() % 100'000;
    (void)client.send(1, asked);
    if (random() % 2 == 0) (void)target.receive(1, asked);
    if (random() % 4 == 0) (void)target.send(2, 1 + random() % 100'000);
    Peer& first = random() % 2 == 0 ? client : target;
    switch (random() % 4) {
      case 0:
        first.finish();
        break;
      case 1:
        first.close();
        break;
      case 2:
        first.reset();
        break;
      default:
        loop.call([](TcpWorker& worker) {
          worker.close_connections(shared::CloseScope::all, 0,
                                   shared::CloseReason::closed_by_operator);
        });
    }
  }
  CHECK(eventually([&] { return loop.closed() == kConnections; }));
  CHECK(loop.turns(0).active_turns.load() == 0);
}

}  // namespace
}  // namespace sluice::tcp
