// Connections that wait: for a place at a target, and for a target.
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "support/pace.h"
#include "support/peer.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

using shared::CloseReason;

constexpr uint32_t kUp = 1;
constexpr uint32_t kDown = 2;

// One target that takes one connection at a time.
struct Queueing {
  PeerListener target_listener;
  TableDraft draft;
  TcpLoop loop;

  explicit Queueing(uint32_t queue_max = 100, uint32_t queue_timeout_ms = 20'000) {
    draft.listen_on(v4(0));
    draft.targets = {target_listener.address()};
    draft.target_max_connections = 1;
    draft.queue_max = queue_max;
    draft.queue_timeout_ms = queue_timeout_ms;
    draft.listener.access_log = true;
    loop.adopt(draft);
  }
  // From a source of its own, with its first byte sent; served or waiting when this returns.
  Peer connect(uint8_t source = 1) {
    const uint64_t before = loop.opened();
    os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const os::Address from = v4(0, source);
    REQUIRE(::bind(fd.get(), from.get(), from.bytes()) == 0);
    REQUIRE(::connect(fd.get(), draft.address().get(), draft.address().bytes()) == 0);
    Peer peer(std::move(fd));
    REQUIRE(eventually([&] { return loop.opened() == before + 1; }));
    return peer;
  }
  bool await_waiting(uint64_t count) {
    return eventually([&] { return loop.waiting() == count; });
  }
};

// The number that the client behind this connection has sent (Peer::send writes it).
uint32_t number_from(const Peer& target) {
  uint64_t word = 0;
  REQUIRE(::recv(target.fd(), &word, sizeof(word), MSG_WAITALL) == sizeof(word));
  return static_cast<uint32_t>(word >> 40U);
}

TEST_CASE("a client waits for a place, and what it has sent meanwhile arrives") {
  Queueing path;
  Peer first = path.connect();
  Peer target = path.target_listener.accept();
  Peer second = path.connect();
  CHECK(path.await_waiting(1));
  CHECK(second.send(kUp, 3000) == 3000);
  CHECK(path.loop.target_active(0) == 1);
  first.reset();
  target = path.target_listener.accept();
  CHECK(target.receive(kUp, 3000).bytes == 3000);
  CHECK(target.send(kDown, 1000) == 1000);
  CHECK(second.receive(kDown, 1000).bytes == 1000);
  CHECK(path.await_waiting(0));
  CHECK(path.loop.listener().connections_queued.load() == 1);
  CHECK(path.loop.listener().connections_parked.load() == 0);
  CHECK(path.loop.listener().wait_us.load() > 0);
  CHECK(path.loop.target(0).connections_opened.load() == 2);
}

TEST_CASE("sources have their turn one after the other, and a record tells how long it took") {
  Queueing path;
  Peer busy = path.connect();
  Peer target = path.target_listener.accept();
  std::vector<Peer> clients;
  for (int i = 0; i < 20; i++) clients.push_back(path.connect(2));
  // Four sources of one client each: the queue's key is drawn anew in every run, and one of them
  // may share the crowd's row, but hardly three.
  for (uint8_t source = 3; source < 7; source++) clients.push_back(path.connect(source));
  CHECK(path.await_waiting(24));
  for (uint32_t i = 0; i < clients.size(); i++) CHECK(clients[i].send(i, 8) == 8);
  observe_for(std::chrono::milliseconds(30));
  busy.reset();
  // In the first round each row has one turn.
  uint32_t singles = 0;
  for (int turn = 0; turn < 5; turn++) {
    target = path.target_listener.accept();
    const uint32_t client = number_from(target);
    REQUIRE(client < clients.size());
    if (client >= 20) singles++;
    clients[client].reset();
  }
  CHECK(singles >= 2);
  CHECK(eventually([&] { return path.loop.closed() == 6; }));
  target = path.target_listener.accept();
  std::vector<uint32_t> waited_ms;
  while (const auto event = path.loop.next_event()) waited_ms.push_back(event->id);
  REQUIRE(waited_ms.size() == 6);
  CHECK(waited_ms[0] == 0);
  for (size_t i = 1; i < waited_ms.size(); i++) CHECK(waited_ms[i] >= 29);
}

TEST_CASE("a queue is served in its order, whichever the policy") {
  constexpr table::PolicyKind kEveryPolicy[] = {
#define X(name, number, Class) table::PolicyKind::name,
      SLUICE_POLICIES(X)
#undef X
  };
  for (const table::PolicyKind kind : kEveryPolicy) {
    CAPTURE(static_cast<uint32_t>(kind));
    Queueing path;
    PeerListener second_target;
    PeerListener* const listeners[] = {&path.target_listener, &second_target};
    path.draft.targets.push_back(second_target.address());
    path.draft.policy = kind;
    path.loop.adopt(path.draft);
    // One at each target, and six from the same source that wait.
    std::vector<Peer> clients;
    std::vector<Peer> served;
    for (uint32_t i = 0; i < 2; i++) {
      clients.push_back(path.connect());
      REQUIRE(clients.back().send(i, 8) == 8);
      REQUIRE(eventually(
          [&] { return path.loop.target_active(0) + path.loop.target_active(1) == i + 1; }));
    }
    // Which client is at which target.
    uint32_t client_of[2] = {};
    for (uint32_t target = 0; target < 2; target++) {
      served.push_back(listeners[target]->accept());
      client_of[target] = number_from(served.back());
    }
    for (uint32_t i = 2; i < 8; i++) {
      clients.push_back(path.connect());
      REQUIRE(clients.back().send(i, 8) == 8);
      REQUIRE(path.await_waiting(i - 1));
    }
    // Whichever target gets a place, the one that has waited longest has it.
    for (uint32_t next = 2; next < 8; next++) {
      const uint32_t target = next / 2 % 2;
      clients[client_of[target]].reset();
      served[target] = listeners[target]->accept();
      client_of[target] = number_from(served[target]);
      REQUIRE(client_of[target] == next);
    }
  }
}

TEST_CASE("a full queue turns a client away at once, and says so") {
  Queueing path(2);
  Peer first = path.connect();
  Peer second = path.connect();
  Peer third = path.connect();
  CHECK(path.await_waiting(2));
  Peer fourth = path.connect();
  CHECK(fourth.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::queue_full) == 1; }));
  // Who leaves makes room for another.
  third.reset();
  CHECK(path.await_waiting(1));
  Peer fifth = path.connect();
  CHECK(path.await_waiting(2));
  CHECK(path.loop.closed_by(CloseReason::queue_full) == 1);
}

TEST_CASE("who waits for too long is turned away with a reason of its own") {
  Queueing path(100, 200);
  Peer first = path.connect();
  const uint64_t begun_ns = os::monotonic_ns();
  Peer second = path.connect();
  CHECK(second.receive(kDown).ending == Ending::reset);
  CHECK(os::monotonic_ns() - begun_ns >= 199'000'000);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::queue_timeout) == 1; }));
  CHECK(path.loop.waiting() == 0);
  CHECK(path.loop.target_active(0) == 1);
}

TEST_CASE("a client that goes away gives its place in the queue back") {
  Queueing path(2);
  Peer first = path.connect();
  Peer resets = path.connect();
  Peer leaves = path.connect();
  CHECK(path.await_waiting(2));
  resets.reset();
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::client_reset) == 1; }));
  leaves.close();
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::client_closed) == 1; }));
  CHECK(path.loop.waiting() == 0);
}

TEST_CASE("a client that has sent something and finished is still served") {
  Queueing path;
  Peer first = path.connect();
  Peer target = path.target_listener.accept();
  Peer second = path.connect();
  CHECK(second.send(kUp, 700) == 700);
  second.finish();
  CHECK(path.await_waiting(1));
  observe_for(std::chrono::milliseconds(60));
  CHECK(path.loop.waiting() == 1);
  first.reset();
  target = path.target_listener.accept();
  const Received got = target.receive(kUp);
  CHECK(got.bytes == 700);
  CHECK(got.ending == Ending::eof);
  CHECK(target.send(kDown, 700) == 700);
  target.close();
  CHECK(second.receive(kDown).bytes == 700);
}

TEST_CASE("a newcomer does not overtake those who wait") {
  Queueing path;
  Peer first = path.connect();
  Peer target = path.target_listener.accept();
  Peer second = path.connect();
  CHECK(second.send(kUp, 8) == 8);
  // The place is taken away under the worker, as another worker's connection would.
  path.loop.call([&](tcp::TcpWorker&) {
    first.reset();
    Peer late = Peer::connect(path.draft.address());
    late.close();
  });
  target = path.target_listener.accept();
  CHECK(target.receive(kUp, 8).bytes == 8);
}

TEST_CASE("a place that another worker or a session gives back is found by looking") {
  Queueing path;
  path.draft.target_max_connections = 2;
  path.loop.adopt(path.draft);
  path.loop.claim_elsewhere(0, 2);
  Peer waits = path.connect();
  CHECK(path.await_waiting(1));
  const uint64_t turns = path.loop.turns();
  observe_for(std::chrono::milliseconds(400));
  CHECK(path.loop.turns() - turns < 60);
  path.loop.release_elsewhere(0, 2);
  CHECK(path.await_waiting(0));
  Peer target = path.target_listener.accept();
  // The kernel accepts for the target before the worker hears of it.
  CHECK(eventually([&] { return path.loop.target(0).connections_opened.load() == 1; }));
}

TEST_CASE("a raised limit serves as many as it allows, and a pool that is gone serves nobody") {
  Queueing path;
  std::vector<Peer> clients;
  for (int i = 0; i < 6; i++) clients.push_back(path.connect());
  CHECK(path.await_waiting(5));
  path.draft.target_max_connections = 3;
  path.loop.adopt(path.draft);
  CHECK(path.await_waiting(3));
  CHECK(eventually([&] { return path.loop.target_active(0) == 3; }));
  path.draft.targets.clear();
  path.loop.adopt(path.draft);
  CHECK(path.await_waiting(0));
  CHECK(path.loop.closed_by(CloseReason::no_target) == 3);
}

TEST_CASE("without a queue a pool at its limits turns clients away as before") {
  Queueing path(0);
  Peer first = path.connect();
  Peer second = path.connect();
  CHECK(second.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::no_target) == 1; }));
}

TEST_CASE("hundreds of clients of one place are all served, in the order they came") {
  Queueing path(1000);
  std::vector<Peer> clients;
  constexpr uint32_t kClients = 400;
  for (uint32_t i = 0; i < kClients; i++) {
    clients.push_back(path.connect());
    CHECK(clients.back().send(i, 8) == 8);
  }
  for (uint32_t i = 0; i < kClients; i++) {
    Peer target = path.target_listener.accept();
    const Received got = target.receive(i, 8);
    REQUIRE(got.bytes == 8);
    REQUIRE_FALSE(got.wrong_at.has_value());
    clients[i].reset();
  }
  CHECK(eventually([&] { return path.loop.closed() == kClients; }));
  CHECK(path.loop.listener().connections_queued.load() == kClients - 1);
}

TEST_CASE("an operator's close and the end of the worker reach those who wait") {
  Queueing path;
  Peer first = path.connect();
  Peer second = path.connect();
  CHECK(path.await_waiting(1));
  path.loop.call([](tcp::TcpWorker& worker) {
    worker.close_connections(shared::CloseScope::listener, kListenerSlot,
                             CloseReason::closed_by_operator);
  });
  CHECK(second.receive(kDown).ending == Ending::reset);
  CHECK(path.loop.waiting() == 0);
  Peer third = path.connect();
  Peer fourth = path.connect();
  CHECK(path.await_waiting(1));
}

// ---- Parking ------------------------------------------------------------------------------------

struct Parking {
  PeerListener target_listener;
  TableDraft draft;
  TcpLoop loop;

  explicit Parking(uint32_t park_max = 100, uint32_t park_timeout_ms = 20'000) {
    draft.listen_on(v4(0));
    draft.park_max = park_max;
    draft.park_timeout_ms = park_timeout_ms;
    loop.adopt(draft);
  }
  bool await_waiting(uint64_t count) {
    return eventually([&] { return loop.waiting() == count; });
  }
};

TEST_CASE("without a target clients are parked, and served when a table brings one") {
  Parking path;
  std::vector<Peer> clients;
  for (uint32_t i = 0; i < 200; i++) {
    if (i == 100) path.draft.park_max = 200;
    if (i == 100) path.loop.adopt(path.draft);
    clients.push_back(Peer::connect(path.draft.address()));
    CHECK(clients.back().send(i, 100) == 100);
  }
  CHECK(path.await_waiting(200));
  CHECK(path.loop.listener().connections_parked.load() == 200);
  path.draft.targets = {path.target_listener.address()};
  path.loop.adopt(path.draft);
  for (uint32_t i = 0; i < 200; i++) {
    Peer target = path.target_listener.accept();
    CHECK(target.receive(i, 100).bytes == 100);
    CHECK(target.send(i, 100) == 100);
    CHECK(clients[i].receive(i, 100).bytes == 100);
    target.close();
    clients[i].close();
  }
  CHECK(path.await_waiting(0));
  CHECK(path.loop.closed_by(CloseReason::no_target) == 0);
}

TEST_CASE("parking has its bounds in number and time") {
  Parking path(1, 200);
  const uint64_t begun_ns = os::monotonic_ns();
  Peer first = Peer::connect(path.draft.address());
  CHECK(path.await_waiting(1));
  Peer second = Peer::connect(path.draft.address());
  CHECK(second.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::park_full) == 1; }));
  CHECK(first.receive(kDown).ending == Ending::reset);
  CHECK(os::monotonic_ns() - begun_ns >= 199'000'000);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::park_timeout) == 1; }));
}

// Health needs a while to see that a target is down, and as long to see it up again.
TEST_CASE("clients of a target that refuses are parked until it can be reached again") {
  Parking path;
  const os::Address address = path.target_listener.address();
  path.target_listener.close();
  path.draft.targets = {address};
  path.draft.retries = 2;
  path.loop.adopt(path.draft);
  std::vector<Peer> clients;
  for (uint32_t i = 0; i < 50; i++) {
    clients.push_back(Peer::connect(path.draft.address()));
    CHECK(clients.back().send(i, 100) == 100);
  }
  CHECK(path.await_waiting(50));
  // One of them asks now and then, not all of them all the time.
  const uint64_t refused = path.loop.target(0).connect_refused.load();
  observe_for(std::chrono::milliseconds(1000));
  const uint64_t asked = path.loop.target(0).connect_refused.load() - refused;
  CHECK(asked >= 1);
  CHECK(asked <= 6);
  CHECK(path.loop.closed() == 0);
  PeerListener back(address);
  std::vector<Peer> targets;
  for (uint32_t i = 0; i < 50; i++) targets.push_back(back.accept());
  CHECK(path.await_waiting(0));
  for (Peer& target : targets) CHECK(target.send(kDown, 10) == 10);
  for (Peer& client : clients) CHECK(client.receive(kDown, 10).bytes == 10);
  CHECK(path.loop.closed_by(CloseReason::connect_failed) == 0);
}

TEST_CASE("a client that fails again and again does not wait beyond its time") {
  Parking path(100, 700);
  const os::Address address = path.target_listener.address();
  path.target_listener.close();
  path.draft.targets = {address};
  path.loop.adopt(path.draft);
  const uint64_t begun_ns = os::monotonic_ns();
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.receive(kDown).ending == Ending::reset);
  const uint64_t took_ns = os::monotonic_ns() - begun_ns;
  CHECK(took_ns >= 690'000'000);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::park_timeout) == 1; }));
  CHECK(path.loop.target(0).connect_refused.load() >= 2);
}

TEST_CASE("parked clients of a target with a limit wait on for a place there") {
  Parking path;
  std::vector<Peer> clients;
  for (int i = 0; i < 4; i++) clients.push_back(Peer::connect(path.draft.address()));
  CHECK(path.await_waiting(4));
  path.draft.targets = {path.target_listener.address()};
  path.draft.target_max_connections = 1;
  path.loop.adopt(path.draft);
  CHECK(path.await_waiting(3));
  for (int i = 0; i < 4; i++) {
    Peer target = path.target_listener.accept();
    CHECK(target.send(kDown, 1) == 1);
    const auto answered = [](const Peer& client) {
      return client.valid() && os::unread_bytes(client.fd()) > 0;
    };
    REQUIRE(eventually([&] { return std::ranges::any_of(clients, answered); }));
    std::ranges::find_if(clients, answered)->reset();
  }
  CHECK(eventually([&] { return path.loop.closed() == 4; }));
}

}  // namespace
}  // namespace sluice::test
