// Reaching a target: retries, deadlines, limits, sources, and whose fault a failure is.
#include <doctest/doctest.h>

#include <thread>

#include "support/network_namespace.h"
#include "support/peer.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

using shared::CloseReason;
using shared::ConnectFailure;

constexpr uint32_t kUp = 1;
constexpr uint32_t kDown = 2;

// An address where nobody listens.
os::Address dead_address() {
  return PeerListener().address();
}

// A listener whose queue is full: the kernel drops every further SYN, as a black hole does.
struct BlackHole {
  PeerListener listener{v4(0), {}, 0};
  std::vector<Peer> fillers;
  BlackHole() { fillers.push_back(Peer::connect(listener.address())); }
  [[nodiscard]] os::Address address() const { return listener.address(); }
};

void check_exchange(Peer& client, PeerListener& target_listener) {
  Peer target = target_listener.accept();
  CHECK(client.send(kUp, 1000) == 1000);
  CHECK(target.receive(kUp, 1000).bytes == 1000);
  CHECK(target.send(kDown, 1000) == 1000);
  CHECK(client.receive(kDown, 1000).bytes == 1000);
}

TEST_CASE("a refused connect is tried on another target before the client notices") {
  PeerListener alive;
  TableDraft draft;
  draft.listen_on(v4(0));
  draft.targets = {dead_address(), alive.address()};
  draft.retries = 1;
  TcpLoop loop;
  loop.adopt(draft);
  for (int i = 0; i < 4; i++) {
    Peer client = Peer::connect(draft.address());
    check_exchange(client, alive);
  }
  // Round robin from a random place: the dead one is met first by every second, or by all, for a
  // retry takes a turn of the rotation too.
  const uint64_t refused = loop.target(0).connect_refused.load();
  CHECK(refused >= 2);
  CHECK(loop.listener().connect_retries.load() == refused);
  CHECK(loop.target(0).connections_opened.load() == 0);
  CHECK(loop.target(1).connections_opened.load() == 4);
  CHECK(loop.target_active(0) == 0);
  for (uint64_t i = 0; i < refused; i++) {
    const auto event = loop.next_event();
    REQUIRE(event.has_value());
    CHECK(event->type == static_cast<uint16_t>(shared::EventType::connect_failed));
    CHECK(event->code == static_cast<uint16_t>(ConnectFailure::refused));
    CHECK(event->slot == kFirstTargetSlot);
    CHECK(event->error == ECONNREFUSED);
  }
}

TEST_CASE("a client whose targets all refuse is reset, after no more tries than allowed") {
  TableDraft draft;
  draft.listen_on(v4(0));
  draft.targets = {dead_address(), dead_address(), dead_address()};
  draft.retries = 1;
  TcpLoop loop;
  loop.adopt(draft);
  Peer client = Peer::connect(draft.address());
  CHECK(client.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return loop.closed_by(CloseReason::connect_failed) == 1; }));
  uint64_t tries = 0;
  for (uint32_t i = 0; i < 3; i++) tries += loop.target(i).connect_refused.load();
  CHECK(tries == 2);
}

TEST_CASE("a client of a pool without targets is reset") {
  TableDraft draft;
  draft.listen_on(v4(0));
  TcpLoop loop;
  loop.adopt(draft);
  Peer client = Peer::connect(draft.address());
  CHECK(client.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return loop.closed_by(CloseReason::no_target) == 1; }));
}

// Faults 6.
TEST_CASE("a target that never answers costs the connect timeout, then another is tried") {
  BlackHole hole;
  PeerListener alive;
  TableDraft draft;
  draft.listen_on(v4(0));
  draft.targets = {hole.address(), alive.address()};
  draft.retries = 1;
  draft.listener.connect_timeout_ms = 200;
  TcpLoop loop;
  loop.adopt(draft);
  std::vector<Peer> clients;
  for (int i = 0; i < 2; i++) {
    clients.push_back(Peer::connect(draft.address()));
    check_exchange(clients.back(), alive);
  }
  CHECK(loop.target(0).connect_timed_out.load() >= 1);
  CHECK(loop.target(1).connections_opened.load() == 2);
}

TEST_CASE("with no try left a connect that never answers ends by the timeout") {
  BlackHole hole;
  TableDraft draft;
  draft.listen_on(v4(0));
  draft.targets = {hole.address()};
  draft.listener.connect_timeout_ms = 150;
  TcpLoop loop;
  loop.adopt(draft);
  const uint64_t begun_ns = os::monotonic_ns();
  Peer client = Peer::connect(draft.address());
  CHECK(client.receive(kDown).ending == Ending::reset);
  const uint64_t took_ns = os::monotonic_ns() - begun_ns;
  CHECK(took_ns >= 150'000'000);
  CHECK(eventually([&] { return loop.closed_by(CloseReason::connect_timeout) == 1; }));
}

TEST_CASE("a client that resets while its target is reached ends the try, a FIN does not") {
  BlackHole hole;
  TableDraft draft;
  draft.listen_on(v4(0));
  draft.targets = {hole.address()};
  TcpLoop loop;
  loop.adopt(draft);
  Peer resets = Peer::connect(draft.address());
  CHECK(eventually([&] { return loop.target_active(0) == 1; }));
  resets.reset();
  CHECK(eventually([&] { return loop.closed_by(CloseReason::client_reset) == 1; }));
  CHECK(loop.target_active(0) == 0);

  Peer finishes = Peer::connect(draft.address());
  CHECK(finishes.send(kUp, 3000) == 3000);
  finishes.finish();
  CHECK(eventually([&] { return loop.target_active(0) == 1; }));
  // Room in the queue: the kernel's next SYN, a second later, gets through.
  Peer filler = hole.listener.accept();
  Peer target = hole.listener.accept();
  const Received got = target.receive(kUp);
  CHECK(got.bytes == 3000);
  CHECK(got.ending == Ending::eof);
  CHECK(target.send(kDown, 2000) == 2000);
  target.finish();
  CHECK(finishes.receive(kDown).bytes == 2000);
  CHECK(eventually([&] { return loop.closed_by(CloseReason::client_closed) == 1; }));
}

TEST_CASE("a target takes no more connections than its limit, and again when one has ended") {
  PeerListener first;
  PeerListener second;
  TableDraft draft;
  draft.listen_on(v4(0));
  draft.targets = {first.address(), second.address()};
  draft.target_max_connections = 1;
  TcpLoop loop;
  loop.adopt(draft);
  std::vector<Peer> clients;
  for (int i = 0; i < 2; i++) clients.push_back(Peer::connect(draft.address()));
  Peer at_first = first.accept();
  Peer at_second = second.accept();
  Peer refused = Peer::connect(draft.address());
  CHECK(refused.receive(kDown).ending == Ending::reset);
  CHECK(eventually([&] { return loop.closed_by(CloseReason::no_target) == 1; }));
  clients[0].reset();
  clients[1].reset();
  CHECK(eventually([&] { return loop.closed() == 3; }));
  Peer again = Peer::connect(draft.address());
  CHECK(eventually([&] { return loop.target_active(0) + loop.target_active(1) == 1; }));
}

TEST_CASE("source addresses are used in turn") {
  PeerListener target_listener;
  TableDraft draft;
  draft.listen_on(v4(0));
  draft.targets = {target_listener.address()};
  // The IPv6 one does not fit this target.
  draft.sources = {v4(0, 21), v6(0), v4(0, 22)};
  TcpLoop loop;
  loop.adopt(draft);
  int from_21 = 0;
  int from_22 = 0;
  for (int i = 0; i < 12; i++) {
    Peer client = Peer::connect(draft.address());
    Peer target = target_listener.accept();
    os::Address source = os::remote_address(target.fd());
    source.set_port(0);
    if (source == v4(0, 21)) from_21++;
    if (source == v4(0, 22)) from_22++;
  }
  CHECK(from_21 + from_22 == 12);
  CHECK(from_21 >= 4);
  CHECK(from_22 >= 4);
}

TEST_CASE("a unix client reaches a unix target") {
  const os::Address address = test::own_unix("target");
  const os::Address front = test::own_unix("listener");
  PeerListener target_listener(address);
  TableDraft draft;
  draft.listen_on(front);
  draft.targets = {address};
  TcpLoop loop;
  loop.adopt(draft);
  Peer client = Peer::connect(front);
  Peer target = target_listener.accept();
  std::thread sends([&] {
    CHECK(client.send(kUp, 20 << 20) == 20 << 20);
    client.finish();
  });
  const Received got = target.receive(kUp);
  sends.join();
  CHECK(got.bytes == 20 << 20);
  CHECK(got.ending == Ending::eof);
  CHECK_FALSE(got.wrong_at.has_value());
  target.close();
  CHECK(client.receive(kDown).ending == Ending::eof);
  CHECK(eventually([&] { return loop.closed_by(CloseReason::client_closed) == 1; }));
}

// Pitfall 10, faults 16. Clients come over a unix socket and use no ports of their own.
TEST_CASE("a source's ports are used once per target, and running out is our own fault") {
  in_network_namespace([] {
    write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "40000 40049");
    PeerListener targets[3] = {PeerListener(v4(1001)), PeerListener(v4(1002)),
                               PeerListener(v4(1003))};
    TableDraft draft;
    draft.listen_on(test::own_unix("ports"));
    for (PeerListener& target : targets) draft.targets.push_back(target.address());
    draft.sources = {v4(0)};
    TcpLoop loop;
    loop.adopt(draft);
    std::vector<Peer> clients;
    for (uint64_t i = 1; i <= 150; i++) {
      clients.push_back(Peer::connect(draft.address()));
      CHECK(eventually([&] { return loop.opened() == i; }));
    }
    CHECK(eventually([&] {
      return loop.target(0).connections_opened.load() + loop.target(1).connections_opened.load() +
                 loop.target(2).connections_opened.load() ==
             150;
    }));
    Peer one_more = Peer::connect(draft.address());
    CHECK(one_more.receive(kDown).ending != Ending::timeout);
    CHECK(eventually([&] { return loop.closed_by(CloseReason::local_error) == 1; }));
    uint64_t local = 0;
    for (uint32_t i = 0; i < 3; i++) {
      local += loop.target(i).connect_failed_local.load();
      CHECK(loop.target(i).connect_refused.load() == 0);
      CHECK(loop.target(i).connect_failed_other.load() == 0);
    }
    CHECK(local == 1);
    const auto event = loop.next_event();
    REQUIRE(event.has_value());
    CHECK(event->code == static_cast<uint16_t>(ConnectFailure::local));
    CHECK(event->error == EADDRNOTAVAIL);
    // A second source address brings as many ports again.
    draft.sources.push_back(v4(0, 2));
    loop.adopt(draft);
    for (int i = 0; i < 30; i++) clients.push_back(Peer::connect(draft.address()));
    CHECK(eventually([&] {
      return loop.target_active(0) + loop.target_active(1) + loop.target_active(2) == 180;
    }));
    CHECK(loop.closed_by(CloseReason::local_error) == 1);
  });
}

// Faults 7.
TEST_CASE("a target without a route is unreachable, not refused") {
  in_network_namespace([] {
    const uint8_t ip[4] = {10, 1, 2, 3};
    TableDraft draft;
    draft.listen_on(v4(0));
    draft.targets = {os::Address::ipv4(ip, 80)};
    TcpLoop loop;
    loop.adopt(draft);
    Peer client = Peer::connect(draft.address());
    CHECK(client.receive(kDown).ending == Ending::reset);
    CHECK(eventually([&] { return loop.closed_by(CloseReason::connect_failed) == 1; }));
    CHECK(loop.target(0).connect_unreachable.load() == 1);
  });
}

// Faults 6, 12.
TEST_CASE("a target that vanishes is noticed by its user timeout") {
  in_network_namespace([] {
    PeerListener target_listener;
    TableDraft draft;
    draft.listen_on(test::own_unix("vanish"));
    draft.targets = {target_listener.address()};
    draft.target_options.user_timeout_ms = 300;
    TcpLoop loop;
    loop.adopt(draft);
    Peer client = Peer::connect(draft.address());
    Peer target = target_listener.accept();
    CHECK(client.send(kUp, 10) == 10);
    CHECK(target.receive(kUp, 10).bytes == 10);
    set_loopback(false);
    CHECK(client.send(kUp, 10) == 10);
    CHECK(eventually([&] { return loop.closed() == 1; }));
    CHECK(loop.closed_by(CloseReason::peer_timeout) == 1);
  });
}

}  // namespace
}  // namespace sluice::test
