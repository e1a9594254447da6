// How connections end: a FIN stays a FIN, a reset stays a reset, and neither takes bytes with it
// that were on their way.
#include <doctest/doctest.h>

#include <random>
#include <thread>

#include "support/pace.h"
#include "support/peer.h"
#include "support/seed.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

using shared::CloseReason;

constexpr uint32_t kUp = 1;
constexpr uint32_t kDown = 2;

struct Path {
  TableDraft draft;
  PeerListener target_listener;
  TcpLoop loop;
  Peer client;
  Peer target;

  explicit Path(const TableDraft& from = {},
                const shared::EngineOptions& options = TcpLoop::options())
      : draft(from), loop(options) {
    draft.listen_on(v4(0));
    draft.targets = {target_listener.address()};
    loop.adopt(draft);
    open();
  }
  void open(const Buffers& client_buffers = {}) {
    client = Peer::connect(draft.address(), client_buffers);
    target = target_listener.accept();
  }
  // The loop has forwarded this much.
  void await_to_client(uint64_t bytes) {
    REQUIRE(eventually([&] { return loop.listener().to_client_bytes.load() >= bytes; }));
  }
  void await_closed(uint64_t count, CloseReason reason) {
    CHECK(eventually([&] { return loop.closed() == count; }));
    CHECK(loop.closed_by(reason) == count);
  }
};

// Pitfall 6, faults 2.
TEST_CASE("a client that has closed its side still gets a whole answer") {
  Path path;
  CHECK(path.client.send(kUp, 1000) == 1000);
  path.client.finish();
  CHECK(path.target.receive(kUp).ending == Ending::eof);
  std::thread answers([&] {
    CHECK(path.target.send(kDown, 10'000'000) == 10'000'000);
    path.target.finish();
  });
  const Received got = path.client.receive(kDown);
  answers.join();
  CHECK(got.bytes == 10'000'000);
  CHECK(got.ending == Ending::eof);
  CHECK_FALSE(got.wrong_at.has_value());
  path.await_closed(1, CloseReason::client_closed);
}

TEST_CASE("a target that has closed its side still gets all that the client sends") {
  Path path;
  CHECK(path.target.send(kDown, 1000) == 1000);
  path.target.finish();
  CHECK(path.client.receive(kDown).ending == Ending::eof);
  std::thread sends([&] {
    CHECK(path.client.send(kUp, 10'000'000) == 10'000'000);
    path.client.finish();
  });
  const Received got = path.target.receive(kUp);
  sends.join();
  CHECK(got.bytes == 10'000'000);
  CHECK(got.ending == Ending::eof);
  CHECK_FALSE(got.wrong_at.has_value());
  path.await_closed(1, CloseReason::target_closed);
}

TEST_CASE("both sides may close with data in flight, thousands of times") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Path path;
  constexpr int kRounds = 3000;
  uint64_t wrong = 0;
  for (int i = 0; i < kRounds; i++) {
    if (i > 0) path.open();
    const uint64_t up = random() % 3000;
    const uint64_t down = random() % 3000;
    path.client.send(kUp, up);
    path.client.finish();
    path.target.send(kDown, down);
    path.target.finish();
    const Received at_target = path.target.receive(kUp, UINT64_MAX, 4096);
    const Received at_client = path.client.receive(kDown, UINT64_MAX, 4096);
    const bool right = at_target.bytes == up && at_client.bytes == down &&
                       at_target.ending == Ending::eof && at_client.ending == Ending::eof &&
                       !at_target.wrong_at.has_value() && !at_client.wrong_at.has_value();
    if (!right) wrong++;
  }
  CHECK(wrong == 0);
  CHECK(eventually([&] { return path.loop.closed() == kRounds; }));
  CHECK(path.loop.closed_by(CloseReason::client_closed) +
            path.loop.closed_by(CloseReason::target_closed) ==
        kRounds);
}

// Pitfall 7.
TEST_CASE("a target that answers and closes while the client keeps sending is heard to its end") {
  Path path;
  constexpr uint64_t kAnswer = 4 << 20;
  path.client.send(kUp, 1000);
  CHECK(path.target.receive(kUp, 1000).bytes == 1000);
  // The whole answer is in the kernel, most of it on its way to a client that does not read yet.
  std::thread answers([&] {
    CHECK(path.target.send(kDown, kAnswer) == kAnswer);
    path.target.finish();
    // What the target sends is taken by the worker only as fast as the client reads: it stays
    // until then, or its own kernel would throw the rest away.
    CHECK(eventually([&] { return os::unacknowledged_bytes(path.target.fd()) == 0; }));
    path.target.close();
  });
  std::atomic<bool> stop{false};
  std::thread keeps_sending([&] {
    while (!stop.load() && path.client.try_send(100) == 0) {
      pace(std::chrono::milliseconds(1));
    }
  });
  const Received got = path.client.receive(kDown, UINT64_MAX, 10'000);
  answers.join();
  stop.store(true);
  keeps_sending.join();
  CHECK(got.bytes == kAnswer);
  CHECK(got.ending == Ending::eof);
  CHECK_FALSE(got.wrong_at.has_value());
  path.client.close();
  path.await_closed(1, CloseReason::target_closed);
}

TEST_CASE("a client that goes on sending to a closed target is cut after a while") {
  TableDraft draft;
  draft.listener.half_close_timeout_ms = 300;
  Path path(draft);
  CHECK(path.target.send(kDown, 1000) == 1000);
  path.target.close();
  CHECK(path.client.receive(kDown).ending == Ending::eof);
  CHECK(eventually([&] { return path.client.try_send(1000) != 0; }));
  path.await_closed(1, CloseReason::target_closed);
}

TEST_CASE("a target whose client has gone learns of it at once") {
  Path path;
  path.client.send(kUp, 1000);
  CHECK(path.target.receive(kUp, 1000).bytes == 1000);
  path.client.finish();
  CHECK(path.target.receive(kUp).ending == Ending::eof);
  path.client.close();
  // The first write is answered by the client's reset, a later one by the worker's.
  CHECK(eventually([&] { return path.target.try_send(1000) != 0; }));
  path.await_closed(1, CloseReason::client_closed);
}

// Pitfall 8.
TEST_CASE("a client's reset reaches the target as a reset") {
  Path path;
  path.client.send(kUp, 5000);
  CHECK(path.target.receive(kUp, 5000).bytes == 5000);
  path.client.reset();
  CHECK(path.target.receive(kUp).ending == Ending::reset);
  path.await_closed(1, CloseReason::client_reset);
}

TEST_CASE("a target's reset reaches the client as a reset") {
  Path path;
  path.target.send(kDown, 5000);
  CHECK(path.client.receive(kDown, 5000).bytes == 5000);
  path.target.reset();
  CHECK(path.client.receive(kDown).ending == Ending::reset);
  path.await_closed(1, CloseReason::target_reset);
  CHECK(path.loop.target(0).resets.load() == 1);
}

// Faults 3.
TEST_CASE("all that a target sent before its reset arrives before the reset") {
  for (const uint64_t count : {1U, 5000U, 65536U, 1'000'000U}) {
    CAPTURE(count);
    Path path;
    CHECK(path.target.send(kDown, count) == count);
    // Nothing is lost in the target's own kernel.
    CHECK(eventually([&] { return os::unacknowledged_bytes(path.target.fd()) == 0; }));
    path.target.reset();
    const Received got = path.client.receive(kDown);
    CHECK(got.bytes == count);
    CHECK_FALSE(got.wrong_at.has_value());
    CHECK(got.ending == Ending::reset);
    path.await_closed(1, CloseReason::target_reset);
  }
}

TEST_CASE("a reset waits until a slow client has taken what came before it") {
  Path path;
  path.client.close();
  CHECK(path.target.receive(kUp).ending == Ending::eof);
  path.target.close();
  REQUIRE(eventually([&] { return path.loop.closed() == 1; }));
  path.open({.receive_bytes = 4096});
  constexpr uint64_t kCount = 200'000;
  CHECK(path.target.send(kDown, kCount) == kCount);
  CHECK(eventually([&] { return os::unacknowledged_bytes(path.target.fd()) == 0; }));
  path.target.reset();
  // The worker knows of the reset, and the client has taken nothing.
  path.await_to_client(kCount);
  const Received got = path.client.receive(kDown, UINT64_MAX, 1000);
  CHECK(got.bytes == kCount);
  CHECK_FALSE(got.wrong_at.has_value());
  CHECK(got.ending == Ending::reset);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::target_reset) == 1; }));
}

TEST_CASE("a reset met while writing to the target is a reset for the client, after the data") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Path path;
  constexpr int kRounds = 200;
  uint64_t clean_ends = 0;
  uint64_t cut_short = 0;
  for (int i = 0; i < kRounds; i++) {
    if (i > 0) path.open();
    const uint64_t answer = 1 + random() % 100'000;
    CHECK(path.target.send(kDown, answer) == answer);
    CHECK(eventually([&] { return os::unacknowledged_bytes(path.target.fd()) == 0; }));
    // A race between the worker's read of the reset and its write of these bytes.
    std::thread writes([&] {
      for (int part = 0; part < 5; part++) static_cast<void>(path.client.try_send(50));
    });
    path.target.reset();
    const Received got = path.client.receive(kDown);
    writes.join();
    if (path.client.settled(got.ending) != Ending::reset) clean_ends++;
    if (got.bytes != answer || got.wrong_at.has_value()) cut_short++;
  }
  CHECK(clean_ends == 0);
  CHECK(cut_short == 0);
  path.await_closed(kRounds, CloseReason::target_reset);
}

// Faults 5.
TEST_CASE("a target that dies in the middle of a stream leaves the client a prefix and an error") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Path path;
  constexpr int kRounds = 30;
  for (int i = 0; i < kRounds; i++) {
    if (i > 0) path.open();
    const uint64_t up = random() % 3'000'000;
    const uint64_t down = random() % 3'000'000;
    std::thread sends([&] { path.client.send(kUp, 4'000'000); });
    std::thread dies([&] {
      std::thread answers([&] { path.target.send(kDown, down); });
      CHECK_FALSE(path.target.receive(kUp, up).wrong_at.has_value());
      answers.join();
      path.target.reset();
    });
    const Received got = path.client.receive(kDown);
    CHECK(got.bytes <= down);
    CHECK_FALSE(got.wrong_at.has_value());
    dies.join();
    sends.join();
    CHECK(path.client.settled(got.ending) == Ending::reset);
  }
  path.await_closed(kRounds, CloseReason::target_reset);
}

TEST_CASE("a silent connection is closed after its idle timeout, an active one is not") {
  TableDraft draft;
  draft.listener.idle_timeout_ms = 200;
  draft.listener.access_log = true;
  Path path(draft);
  for (int i = 0; i < 8; i++) {
    pace(std::chrono::milliseconds(60));
    CHECK(path.client.send(kUp, 10) == 10);
    CHECK(path.target.receive(kUp, 10).bytes == 10);
  }
  CHECK(path.loop.closed() == 0);
  // Nothing is missing on either side: a clean end.
  CHECK(path.client.receive(kDown).ending == Ending::eof);
  CHECK(path.target.receive(kUp).ending == Ending::eof);
  path.await_closed(1, CloseReason::idle_timeout);
  const auto event = path.loop.next_event();
  REQUIRE(event.has_value());
  CHECK(event->type == static_cast<uint16_t>(shared::EventType::connection_closed));
  CHECK(event->code == static_cast<uint16_t>(CloseReason::idle_timeout));
  CHECK(event->slot == kListenerSlot);
  CHECK(event->target_slot == kFirstTargetSlot);
  CHECK(event->to_target_bytes == 80);
  CHECK(event->to_client_bytes == 0);
  CHECK(event->duration_ms >= 600);
  CHECK(event->client_port != 0);
  CHECK_FALSE(path.loop.next_event().has_value());
}

// Pitfall 15: a reader with a closed window moves no byte, so it is idle.
TEST_CASE("a client that never reads is reaped with what it pins, and sees a reset") {
  TableDraft draft;
  draft.listener.idle_timeout_ms = 300;
  Path path(draft);
  std::thread answers([&] {
    // Ends when the worker has reset the target.
    while (path.target.send(kDown, 1 << 20) == 1 << 20) {
    }
  });
  path.await_closed(1, CloseReason::idle_timeout);
  answers.join();
  CHECK(path.loop.worker().stashes_in_use.load() + path.loop.worker().pipes_in_use.load() == 0);
  CHECK(path.client.receive(kDown).ending == Ending::reset);
}

TEST_CASE("one side closed and the other silent is ended by the half-close timeout") {
  TableDraft draft;
  draft.listener.idle_timeout_ms = 60'000;
  draft.listener.half_close_timeout_ms = 200;
  Path path(draft);
  path.client.finish();
  CHECK(path.target.receive(kUp).ending == Ending::eof);
  CHECK(path.client.receive(kDown).ending == Ending::eof);
  path.await_closed(1, CloseReason::half_close_timeout);
}

TEST_CASE("a connection does not outlive its lifetime, however busy") {
  TableDraft draft;
  draft.listener.lifetime_ms = 300;
  Path path(draft);
  while (path.client.try_send(100) == 0) {
    pace(std::chrono::milliseconds(5));
  }
  path.await_closed(1, CloseReason::lifetime);
}

TEST_CASE("an operator's close ends the connections it names and no others") {
  Path path;
  REQUIRE(eventually([&] { return path.loop.target(0).connections_opened.load() == 1; }));
  path.loop.call([](tcp::TcpWorker& worker) {
    worker.close_connections(shared::CloseScope::listener, kListenerSlot + 1,
                             CloseReason::closed_by_operator);
    worker.close_connections(shared::CloseScope::target, kFirstTargetSlot + 1,
                             CloseReason::closed_by_operator);
    CHECK(worker.open_connections() == 1);
    worker.close_connections(shared::CloseScope::target, kFirstTargetSlot,
                             CloseReason::closed_by_operator);
    CHECK(worker.open_connections() == 0);
  });
  CHECK(path.client.receive(kDown).ending == Ending::eof);
  path.await_closed(1, CloseReason::closed_by_operator);
}

TEST_CASE("an operator's close of a share leaves the others as they are") {
  Path path;
  REQUIRE(eventually([&] { return path.loop.target(0).connections_opened.load() == 1; }));
  path.loop.call([](tcp::TcpWorker& worker) {
    policy::Cursor cursor = policy::seeded_cursor(1);
    // One in 2^32 - 1: not of one connection, with this seed.
    worker.close_connections(shared::CloseScope::target, kFirstTargetSlot,
                             CloseReason::closed_by_operator, policy::Lot(cursor, UINT32_MAX));
    CHECK(worker.open_connections() == 1);
    worker.close_connections(shared::CloseScope::target, kFirstTargetSlot,
                             CloseReason::closed_by_operator, policy::Lot(cursor, 1));
    CHECK(worker.open_connections() == 0);
  });
  path.await_closed(1, CloseReason::closed_by_operator);
  CHECK(path.loop.target(0).closed_by_operator.load() == 1);
}

TEST_CASE("a connection that is closed with bytes under way is reset, not cut cleanly") {
  Path path;
  std::thread answers([&] { path.target.send(kDown, 64 << 20); });
  // The client reads nothing: everything on the way is full.
  path.loop.await_quiet();
  path.loop.call([](tcp::TcpWorker& worker) {
    worker.close_connections(shared::CloseScope::all, shared::kNoSlot, CloseReason::shutdown);
  });
  answers.join();
  CHECK(path.client.receive(kDown).ending == Ending::reset);
  path.await_closed(1, CloseReason::shutdown);
}

TEST_CASE("connections still open when the worker goes are counted as shut down") {
  Path path;
  path.open();
  CHECK(path.loop.opened() == 2);
}

}  // namespace
}  // namespace sluice::test
