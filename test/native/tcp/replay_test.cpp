// Targets that end a connection before their first byte, and are replaced unseen by the client.
#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "policy/prng.h"
#include "support/peer.h"
#include "support/seed.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

using shared::CloseReason;
using shared::ConnectFailure;

constexpr uint32_t kUp = 1;
constexpr uint32_t kDown = 2;

void end(Peer& peer, bool resets) {
  if (resets) {
    peer.reset();
  } else {
    peer.close();
  }
}

// Two targets; with `first` every client comes to the first one.
struct Replaying {
  PeerListener first;
  PeerListener second;
  TableDraft draft;
  TcpLoop loop;

  explicit Replaying(const shared::EngineOptions& options = TcpLoop::options()) : loop(options) {
    draft.listen_on(v4(0));
    draft.targets = {first.address(), second.address()};
    draft.policy = table::PolicyKind::first;
    draft.retries = 1;
    draft.listener.replay_kib = 16;
    draft.listener.access_log = true;
  }
  void adopt() { loop.adopt(draft); }
  // The kernel accepts for the target before the worker hears of it: a reset in between would be a
  // failed connect.
  Peer accept_first() {
    Peer target = first.accept();
    CHECK(eventually([&] { return loop.target(0).connections_opened.load() == 1; }));
    return target;
  }
  [[nodiscard]] uint64_t replays() { return loop.listener().replays.load(); }
  [[nodiscard]] std::optional<shared::Event> next(shared::EventType type) {
    std::optional<shared::Event> found;
    static_cast<void>(eventually([&] {
      const auto event = loop.next_event();
      if (event && event->type == static_cast<uint16_t>(type)) found = event;
      return found.has_value();
    }));
    return found;
  }
  void check_no_replay() {
    CHECK(replays() == 0);
    CHECK(loop.target(0).ended_unanswered.load() == 0);
    CHECK(loop.target(1).connections_opened.load() == 0);
    CHECK(loop.listener().connect_retries.load() == 0);
  }
};

// The target has got everything that the client sent, from its first byte on.
void check_served(Peer& client, PeerListener& listener, uint64_t bytes) {
  Peer target = listener.accept();
  const Received got = target.receive(kUp, bytes);
  CHECK(got.bytes == bytes);
  CHECK_FALSE(got.wrong_at.has_value());
  CHECK(target.send(kDown, 5000) == 5000);
  const Received answer = client.receive(kDown, 5000);
  CHECK(answer.bytes == 5000);
  CHECK_FALSE(answer.wrong_at.has_value());
}

TEST_CASE("a target that ends a connection unheard is replaced, and the next one gets all of it") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  policy::Cursor random = policy::seeded_cursor(seed);
  for (int round = 0; round < 20; round++) {
    const bool resets = round % 2 == 0;
    const uint64_t sent = 1 + policy::scaled(policy::next_random(random), 16 * 1024);
    const uint64_t read = policy::scaled(policy::next_random(random), 2) * sent;
    CAPTURE(resets);
    CAPTURE(sent);
    CAPTURE(read);
    Replaying path;
    path.adopt();
    Peer client = Peer::connect(path.draft.address());
    CHECK(client.send(kUp, sent) == sent);
    Peer target = path.accept_first();
    // One that closes with unread input resets as well.
    CHECK(target.receive(kUp, read).bytes == read);
    end(target, resets);
    check_served(client, path.second, sent);
    CHECK(path.replays() == 1);
    CHECK(path.loop.listener().connect_retries.load() == 1);
    CHECK(path.loop.target(0).ended_unanswered.load() == 1);
    CHECK(path.loop.target(0).connections_closed.load() == 1);
    CHECK(path.loop.target(0).resets.load() == 0);
    CHECK(path.loop.target_active(0) == 0);
    CHECK(path.loop.target_active(1) == 1);
    // A failure, and no response time.
    CHECK(path.loop.responses(0).sum.load() == 0);
    CHECK(path.loop.turns(0).active_turns.load() == 0);
    const auto failure = path.next(shared::EventType::connect_failed);
    REQUIRE(failure.has_value());
    CHECK(failure->slot == kFirstTargetSlot);
    CHECK(failure->code == static_cast<uint16_t>(ConnectFailure::unanswered));
    client.finish();
    client.reset();
    const auto record = path.next(shared::EventType::connection_closed);
    REQUIRE(record.has_value());
    CHECK(record->index == 1);
    CHECK(record->target_slot == kFirstTargetSlot + 1);
    // What the last target was sent, not the sum.
    CHECK(record->to_target_bytes == sent);
  }
}

TEST_CASE("a client that waits for a greeting gets that of the next target") {
  for (const bool resets : {true, false}) {
    Replaying path;
    path.adopt();
    Peer client = Peer::connect(path.draft.address());
    Peer target = path.accept_first();
    end(target, resets);
    check_served(client, path.second, 0);
    CHECK(path.replays() == 1);
  }
}

TEST_CASE("a target that has said one byte is the one, whatever it does then") {
  for (const bool resets : {true, false}) {
    Replaying path;
    path.adopt();
    Peer client = Peer::connect(path.draft.address());
    CHECK(client.send(kUp, 1000) == 1000);
    Peer target = path.first.accept();
    CHECK(target.receive(kUp, 1000).bytes == 1000);
    CHECK(target.send(kDown, 1) == 1);
    CHECK(client.receive(kDown, 1).bytes == 1);
    CHECK(eventually([&] { return path.loop.worker().stashes_in_use.load() == 0; }));
    end(target, resets);
    CHECK(client.receive(kDown).ending == (resets ? Ending::reset : Ending::eof));
    path.check_no_replay();
  }
}

TEST_CASE("a client that has sent more than the buffer stays with its target") {
  for (const uint64_t sent : {1024, 1025}) {
    CAPTURE(sent);
    Replaying path;
    path.draft.listener.replay_kib = 1;
    path.adopt();
    Peer client = Peer::connect(path.draft.address());
    CHECK(client.send(kUp, sent) == sent);
    Peer target = path.first.accept();
    CHECK(target.receive(kUp, sent).bytes == sent);
    if (sent == 1024) {
      target.reset();
      check_served(client, path.second, sent);
      continue;
    }
    CHECK(eventually([&] { return path.loop.worker().stashes_in_use.load() == 0; }));
    target.reset();
    CHECK(client.receive(kDown).ending == Ending::reset);
    path.check_no_replay();
  }
}

TEST_CASE("a client that has finished is half-closed for the next target too") {
  Replaying path;
  path.adopt();
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.send(kUp, 3000) == 3000);
  client.finish();
  Peer target = path.first.accept();
  CHECK(target.receive(kUp).ending == Ending::eof);
  target.close();
  Peer next = path.second.accept();
  const Received got = next.receive(kUp);
  CHECK(got.bytes == 3000);
  CHECK(got.ending == Ending::eof);
  CHECK_FALSE(got.wrong_at.has_value());
  CHECK(next.send(kDown, 2000) == 2000);
  next.close();
  const Received answer = client.receive(kDown);
  CHECK(answer.bytes == 2000);
  CHECK(answer.ending == Ending::eof);
}

TEST_CASE("a client that asked for nothing and left is no reason to try another target") {
  Replaying path;
  path.adopt();
  Peer client = Peer::connect(path.draft.address());
  client.finish();
  Peer target = path.first.accept();
  CHECK(target.receive(kUp).ending == Ending::eof);
  target.close();
  CHECK(client.receive(kDown).ending == Ending::eof);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::client_closed) == 1; }));
  path.check_no_replay();
}

TEST_CASE("a client that resets takes its bytes along") {
  Replaying path;
  path.draft.backoff = {.base_ms = 2000, .max_ms = 2000};
  path.adopt();
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.send(kUp, 1000) == 1000);
  Peer target = path.first.accept();
  CHECK(target.receive(kUp, 1000).bytes == 1000);
  target.reset();
  CHECK(eventually([&] { return path.replays() == 1; }));
  // During the pause, or at the next target.
  client.reset();
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::client_reset) == 1; }));
  CHECK(path.loop.worker().stashes_in_use.load() == 0);
}

TEST_CASE("half-closed clients are kept over a pause") {
  Replaying path;
  path.draft.backoff = {.base_ms = 100, .max_ms = 100};
  path.adopt();
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.send(kUp, 3000) == 3000);
  client.finish();
  Peer target = path.first.accept();
  CHECK(target.receive(kUp).bytes == 3000);
  target.close();
  Peer next = path.second.accept();
  const Received got = next.receive(kUp);
  CHECK(got.bytes == 3000);
  CHECK(got.ending == Ending::eof);
}

TEST_CASE("when the last target ends it unheard as well, the client sees that end") {
  for (const bool resets : {true, false}) {
    Replaying path;
    path.adopt();
    Peer client = Peer::connect(path.draft.address());
    CHECK(client.send(kUp, 1000) == 1000);
    for (PeerListener* listener : {&path.first, &path.second}) {
      Peer target = listener->accept();
      CHECK(target.receive(kUp, 1000).bytes == 1000);
      end(target, resets);
    }
    CHECK(client.receive(kDown).ending == (resets ? Ending::reset : Ending::eof));
    client.close();
    const CloseReason reason = resets ? CloseReason::target_reset : CloseReason::target_closed;
    CHECK(eventually([&] { return path.loop.closed_by(reason) == 1; }));
    CHECK(path.replays() == 1);
    for (uint32_t slot : {kFirstTargetSlot, kFirstTargetSlot + 1}) {
      const auto failure = path.next(shared::EventType::connect_failed);
      REQUIRE(failure.has_value());
      CHECK(failure->slot == slot);
      CHECK(failure->code == static_cast<uint16_t>(ConnectFailure::unanswered));
    }
  }
}

TEST_CASE("replays are retries: the budget bounds them") {
  Replaying path;
  path.draft.retry_rules = {.percent = 1, .min_per_second = 0};
  path.adopt();
  Peer client = Peer::connect(path.draft.address());
  Peer target = path.accept_first();
  target.reset();
  CHECK(client.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::target_reset) == 1; }));
  CHECK(path.loop.listener().connect_retries_refused.load() == 1);
  path.check_no_replay();
}

TEST_CASE("with no other target that can be reached the client is reset, and that is the reason") {
  Replaying path;
  path.adopt();
  path.second.close();
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.send(kUp, 1000) == 1000);
  Peer target = path.first.accept();
  CHECK(target.receive(kUp, 1000).bytes == 1000);
  target.close();
  CHECK(client.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::connect_failed) == 1; }));
}

TEST_CASE("a listener that is not marked passes the end on") {
  Replaying path;
  path.draft.listener.replay_kib = 0;
  path.adopt();
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.send(kUp, 1000) == 1000);
  Peer target = path.first.accept();
  CHECK(target.receive(kUp, 1000).bytes == 1000);
  CHECK(path.loop.worker().stashes_in_use.load() == 0);
  target.reset();
  CHECK(client.receive(kDown).ending == Ending::reset);
  path.check_no_replay();
}

TEST_CASE("a replayed connection streams like any other, spliced or copied") {
  for (const bool splice : {true, false}) {
    shared::EngineOptions options = TcpLoop::options();
    options.splice = splice;
    Replaying path(options);
    path.adopt();
    Peer client = Peer::connect(path.draft.address());
    CHECK(client.send(kUp, 10'000) == 10'000);
    Peer target = path.accept_first();
    target.reset();
    Peer next = path.second.accept();
    CHECK(next.send(kDown, 1) == 1);
    constexpr uint64_t kBytes = 20 << 20;
    std::thread sends([&] {
      CHECK(client.send(kUp, kBytes) == kBytes);
      client.finish();
    });
    const Received got = next.receive(kUp);
    sends.join();
    CHECK(got.bytes == kBytes + 10'000);
    CHECK_FALSE(got.wrong_at.has_value());
    CHECK(got.ending == Ending::eof);
    CHECK((path.loop.worker().spliced_bytes.load() > 0) == splice);
  }
}

TEST_CASE("a large request is not spliced while it may have to be sent again") {
  Replaying path;
  path.adopt();
  Peer client = Peer::connect(path.draft.address());
  Peer target = path.first.accept();
  std::thread sends([&] { CHECK(client.send(kUp, 4 << 20) == 4 << 20); });
  CHECK(target.receive(kUp, 4 << 20).bytes == 4 << 20);
  sends.join();
  // It was more than the buffer: from there on it may be.
  CHECK(path.loop.worker().copied_bytes.load() >= 16 * 1024);
  target.reset();
  CHECK(client.receive(kDown).ending == Ending::reset);
  path.check_no_replay();
}

TEST_CASE("a reload in between gives the client a target of the new table") {
  Replaying path;
  path.adopt();
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.send(kUp, 1000) == 1000);
  Peer target = path.first.accept();
  CHECK(target.receive(kUp, 1000).bytes == 1000);
  PeerListener third;
  path.draft.targets = {path.first.address(), third.address()};
  path.adopt();
  target.close();
  check_served(client, third, 1000);
}

TEST_CASE(
    "at most half of the stashes are kept for this, and who gets none is served all the same") {
  shared::EngineOptions options = TcpLoop::options();
  options.stashes_max = 2;
  Replaying path(options);
  path.adopt();
  Peer kept = Peer::connect(path.draft.address());
  CHECK(kept.send(kUp, 1000) == 1000);
  Peer at_first = path.first.accept();
  CHECK(at_first.receive(kUp, 1000).bytes == 1000);
  Peer other = Peer::connect(path.draft.address());
  CHECK(other.send(kUp, 1000) == 1000);
  Peer at_same = path.first.accept();
  CHECK(at_same.receive(kUp, 1000).bytes == 1000);
  CHECK(eventually([&] { return path.loop.worker().stash_exhausted.load() == 1; }));
  CHECK(path.loop.worker().stashes_in_use.load() == 1);
  at_same.reset();
  CHECK(other.receive(kDown).ending == Ending::reset);
  at_first.reset();
  check_served(kept, path.second, 1000);
}

TEST_CASE("a unix target that ends unheard is replaced as well") {
  Replaying path;
  PeerListener first(own_unix("replay-first"));
  PeerListener second(own_unix("replay-second"));
  path.draft.targets = {first.address(), second.address()};
  path.adopt();
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.send(kUp, 1000) == 1000);
  Peer target = first.accept();
  CHECK(target.receive(kUp, 1000).bytes == 1000);
  target.close();
  check_served(client, second, 1000);
}

}  // namespace
}  // namespace sluice::test
