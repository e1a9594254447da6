// Trying again after a failed connect: where, after which pause, and how often at most.
#include <doctest/doctest.h>

#include <vector>

#include "support/peer.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

using shared::CloseReason;

constexpr uint32_t kUp = 1;
constexpr uint32_t kDown = 2;
// A pause is drawn at random, so one may be over at once; of so many hardly all.
constexpr uint8_t kClients = 12;
constexpr table::Backoff kLongPauses{.base_ms = 2000, .max_ms = 2000};

// A pool whose first target refuses until it listens; with `first` every pick begins with it.
struct Retrying {
  PeerListener refusing = PeerListener::bound_only();
  PeerListener second;
  TableDraft draft;
  TcpLoop loop;

  Retrying() {
    draft.listen_on(v4(0));
    draft.targets = {refusing.address(), second.address()};
    draft.policy = table::PolicyKind::first;
    draft.retries = 2;
  }
  // Each from a source of its own, and has sent something.
  Peer connect(uint8_t source) {
    os::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const os::Address from = v4(0, source);
    REQUIRE(::bind(fd.get(), from.get(), from.bytes()) == 0);
    REQUIRE(::connect(fd.get(), draft.address().get(), draft.address().bytes()) == 0);
    Peer peer(std::move(fd));
    CHECK(peer.send(kUp, 1000) == 1000);
    return peer;
  }
  std::vector<Peer> connect_crowd() {
    std::vector<Peer> clients;
    for (uint8_t source = 1; source <= kClients; source++) clients.push_back(connect(source));
    return clients;
  }
  [[nodiscard]] uint64_t refused() { return loop.target(0).connect_refused.load(); }
  [[nodiscard]] uint64_t retries() { return loop.listener().connect_retries.load(); }
  [[nodiscard]] uint64_t reached(uint32_t target) {
    return loop.target(target).connections_opened.load();
  }
  // Records of failed connects since the last call.
  [[nodiscard]] uint64_t failures_told() {
    uint64_t told = 0;
    while (const auto event = loop.next_event()) {
      told += event->type == static_cast<uint16_t>(shared::EventType::connect_failed) ? 1 : 0;
    }
    return told;
  }
};

void check_exchange(Peer& client, PeerListener& listener) {
  Peer target = listener.accept();
  CHECK(target.receive(kUp, 1000).bytes == 1000);
  CHECK(target.send(kDown, 1000) == 1000);
  CHECK(client.receive(kDown, 1000).bytes == 1000);
}

TEST_CASE("the first retry goes to the same target, the next elsewhere, each failure counts once") {
  Retrying path;
  path.draft.retry_same = true;
  path.loop.adopt(path.draft);
  Peer client = path.connect(1);
  check_exchange(client, path.second);
  CHECK(path.refused() == 2);
  CHECK(path.retries() == 2);
  CHECK(path.failures_told() == 2);
  CHECK(path.loop.target_active(0) == 0);
  CHECK(path.loop.target_active(1) == 1);
}

TEST_CASE("with one retry, and that at the same target, a client is turned away after two tries") {
  Retrying path;
  path.draft.retry_same = true;
  path.draft.retries = 1;
  path.loop.adopt(path.draft);
  Peer client = Peer::connect(path.draft.address());
  CHECK(client.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::connect_failed) == 1; }));
  CHECK(path.refused() == 2);
  CHECK(path.reached(1) == 0);
}

TEST_CASE("a target that is back after the pause keeps its client, and what it had sent") {
  Retrying path;
  path.draft.retry_same = true;
  path.draft.backoff = kLongPauses;
  path.loop.adopt(path.draft);
  std::vector<Peer> clients = path.connect_crowd();
  CHECK(eventually([&] { return path.refused() >= kClients; }));
  path.refusing.listen();
  CHECK(eventually([&] { return path.reached(0) + path.reached(1) == kClients; }));
  CHECK(path.reached(0) > 0);
  for (uint64_t i = path.reached(0); i > 0; i--) {
    Peer target = path.refusing.accept();
    CHECK(target.receive(kUp, 1000).bytes == 1000);
  }
}

TEST_CASE("a client that leaves during the pause is noticed, however it leaves") {
  for (const bool resets : {true, false}) {
    CAPTURE(resets);
    Retrying path;
    path.draft.targets.pop_back();
    path.draft.retries = 1;
    path.draft.retry_same = true;
    path.draft.backoff = kLongPauses;
    path.loop.adopt(path.draft);
    std::vector<Peer> clients;
    for (int i = 0; i < kClients; i++) {
      clients.push_back(Peer::connect(path.draft.address()));
      CHECK(eventually([&] { return path.refused() > static_cast<uint64_t>(i); }));
      if (resets) {
        clients.back().reset();
      } else {
        clients.back().finish();
      }
    }
    const CloseReason reason = resets ? CloseReason::client_reset : CloseReason::client_closed;
    CHECK(eventually([&] { return path.loop.closed() == kClients; }));
    CHECK(path.loop.closed_by(reason) > 0);
    CHECK(path.loop.closed_by(reason) + path.loop.closed_by(CloseReason::connect_failed) ==
          kClients);
    // Who has left makes no further try.
    CHECK(path.retries() == path.loop.closed_by(CloseReason::connect_failed));
  }
}

TEST_CASE(
    "a client that has sent and finished is half-closed, and reaches its target all the same") {
  Retrying path;
  path.draft.backoff = {.base_ms = 50, .max_ms = 50};
  path.loop.adopt(path.draft);
  Peer client = path.connect(1);
  client.finish();
  Peer target = path.second.accept();
  const Received got = target.receive(kUp);
  CHECK(got.bytes == 1000);
  CHECK(got.ending == Ending::eof);
  CHECK(target.send(kDown, 1000) == 1000);
  target.finish();
  CHECK(client.receive(kDown).bytes == 1000);
}

TEST_CASE("clients that back off end with the worker, and hold no place at a target") {
  Retrying path;
  path.draft.targets.pop_back();
  path.draft.target_max_connections = 1;
  path.draft.retry_same = true;
  path.draft.backoff = kLongPauses;
  path.loop.adopt(path.draft);
  std::vector<Peer> clients;
  for (uint8_t source = 1; source <= kClients; source++) {
    clients.push_back(path.connect(source));
    // It would be turned away if one of those before had the place.
    CHECK(eventually([&] { return path.refused() >= source; }));
    CHECK(path.loop.target_active(0) == 0);
  }
  CHECK(path.loop.closed_by(CloseReason::no_target) == 0);
}

TEST_CASE("a reload during the pause gives the client a target of the new table") {
  Retrying path;
  path.draft.backoff = kLongPauses;
  path.loop.adopt(path.draft);
  std::vector<Peer> clients = path.connect_crowd();
  CHECK(eventually([&] { return path.refused() == kClients; }));
  PeerListener third;
  path.draft.targets = {path.refusing.address(), third.address()};
  path.loop.adopt(path.draft);
  CHECK(eventually([&] { return path.reached(1) == kClients; }));
  Peer target = third.accept();
  CHECK(target.receive(kUp, 1000).bytes == 1000);
}

TEST_CASE("retries beyond the budget are refused, counted, and end with the real reason") {
  Retrying path;
  path.draft.retry_rules = {.percent = 1, .min_per_second = 0};
  path.loop.adopt(path.draft);
  for (uint8_t source = 1; source <= kClients; source++) {
    Peer client = Peer::connect(path.draft.address());
    CHECK(client.receive(kDown).ending == Ending::reset);
  }
  CHECK(eventually([&] { return path.loop.closed_by(CloseReason::connect_failed) == kClients; }));
  CHECK(path.retries() == 0);
  CHECK(path.loop.listener().connect_retries_refused.load() == kClients);
  CHECK(path.reached(1) == 0);
  // As many as there are connections.
  path.draft.retry_rules = {.percent = 100, .min_per_second = 0};
  path.loop.adopt(path.draft);
  Peer client = path.connect(1);
  check_exchange(client, path.second);
  CHECK(path.retries() == 1);
  CHECK(path.loop.listener().connect_retries_refused.load() == kClients);
}

TEST_CASE("a retry that the budget refuses waits for no place either, but may park") {
  Retrying path;
  path.draft.retry_rules = {.percent = 1, .min_per_second = 0};
  path.draft.queue_max = 10;
  path.loop.adopt(path.draft);
  Peer turned_away = Peer::connect(path.draft.address());
  CHECK(turned_away.receive(kDown).ending == Ending::reset);
  CHECK(path.loop.listener().connections_queued.load() == 0);
  path.draft.targets.pop_back();
  path.draft.park_max = 10;
  path.loop.adopt(path.draft);
  Peer parked = path.connect(1);
  CHECK(eventually([&] { return path.loop.listener().connections_parked.load() > 0; }));
  path.refusing.listen();
  check_exchange(parked, path.refusing);
}

TEST_CASE("a target that is full when the pause is over has its client wait for a place there") {
  Retrying path;
  path.draft.targets.pop_back();
  path.draft.target_max_connections = 1;
  path.draft.queue_max = 100;
  path.draft.retry_same = true;
  path.draft.backoff = kLongPauses;
  path.loop.adopt(path.draft);
  std::vector<Peer> clients;
  for (uint8_t source = 1; source <= kClients; source++) {
    clients.push_back(path.connect(source));
    CHECK(eventually([&] { return path.refused() >= source; }));
  }
  path.loop.claim_elsewhere(0, 1);
  CHECK(eventually([&] {
    return path.loop.waiting() + path.loop.closed_by(CloseReason::connect_failed) == kClients;
  }));
  const uint64_t waiting = path.loop.waiting();
  CHECK(waiting > 0);
  path.refusing.listen();
  path.loop.release_elsewhere(0, 1);
  for (uint64_t i = 0; i < waiting; i++) {
    Peer target = path.refusing.accept();
    CHECK(target.receive(kUp, 1000).bytes == 1000);
    CHECK(path.loop.target_active(0) == 1);
    target.reset();
  }
}

TEST_CASE("a client whose only target refuses twice is parked, and served when it is back") {
  Retrying path;
  path.draft.targets.pop_back();
  path.draft.retries = 1;
  path.draft.retry_same = true;
  path.draft.park_max = 10;
  path.loop.adopt(path.draft);
  Peer client = path.connect(1);
  CHECK(eventually([&] { return path.loop.listener().connections_parked.load() > 0; }));
  CHECK(path.refused() >= 2);
  path.refusing.listen();
  check_exchange(client, path.refusing);
}

TEST_CASE("a sticky client keeps its target over a retry there, and loses it when that fails") {
  Retrying path;
  path.draft.sticky = sticky::StickyTable::create(100);
  path.draft.retry_same = true;
  path.draft.backoff = kLongPauses;
  path.loop.adopt(path.draft);
  std::vector<Peer> clients = path.connect_crowd();
  CHECK(eventually([&] { return path.refused() >= kClients; }));
  path.refusing.listen();
  CHECK(eventually([&] { return path.reached(0) + path.reached(1) == kClients; }));
  const uint64_t kept = path.reached(0);
  CHECK(kept > 0);
  CHECK(path.failures_told() == path.refused());
  // In turn, if it were not for the entries: each client goes where it was.
  path.draft.policy = table::PolicyKind::round_robin;
  path.loop.adopt(path.draft);
  for (uint64_t round = 2; round <= 4; round++) {
    for (Peer& again : path.connect_crowd()) clients.push_back(std::move(again));
    CHECK(eventually([&] { return path.reached(0) + path.reached(1) == round * kClients; }));
    CHECK(path.reached(0) == round * kept);
  }
}

}  // namespace
}  // namespace sluice::test
