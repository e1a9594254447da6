// What a UDP client would meet: its session, a target, or a listener that is full.
#include "udp/udp_forecast.h"

#include <doctest/doctest.h>

#include "udp/udp_fixture.h"

namespace sluice::test {
namespace {

using shared::ExplainOutcome;

os::ClientAddress client_of(const UdpPeer& peer) {
  return os::ClientAddress::from(peer.address().get(), peer.address().bytes());
}

struct Asked {
  UdpPeer target{v4(0)};
  UdpPeer client{v4(0)};
  Sockets bind;
  UdpBench bench;
  std::unique_ptr<table::Table> same;

  explicit Asked(const os::Address& at = v4(0), uint32_t sessions_max = 1000,
                 uint32_t max_connections = 0)
      : bind(bind_udp(at)) {
    same = table(sessions_max, max_connections);
    bench.adopt(table(sessions_max, max_connections));
  }
  std::unique_ptr<table::Table> table(uint32_t sessions_max, uint32_t max_connections) {
    std::unique_ptr<table::Table> made = simple_table(bind, {target.address()});
    made->listeners[0].udp_sessions_max = sessions_max;
    made->listeners[0].max_connections = max_connections;
    return made;
  }
  table::Forecast ask(const os::ClientAddress& who) {
    return bench.worker().forecast(same->listeners[0], who);
  }
  void open_session(UdpPeer& peer) {
    peer.send(v4(bind->address.port()), "x");
    CHECK(bench.receive(target).payload == "x");
  }
};

TEST_CASE("a client has no session, then one, on every kind of bind") {
  for (const os::Address& at : {v4(0), any_v4(0)}) {
    Asked path(at);
    const table::Forecast before = path.ask(client_of(path.client));
    CHECK(before.outcome == ExplainOutcome::picked);
    CHECK(before.target_slot == 0);
    path.open_session(path.client);
    const table::Forecast after = path.ask(client_of(path.client));
    CHECK(after.outcome == ExplainOutcome::session);
    CHECK(after.target_slot == 0);
    CHECK_FALSE(after.sessions_unseen);
    os::ClientAddress no_port = client_of(path.client);
    no_port.port = 0;
    CHECK(path.ask(no_port).outcome == ExplainOutcome::picked);
    // The look has opened nothing and renewed nothing.
    CHECK(path.bench.worker().open_sessions() == 1);
  }
}

TEST_CASE("a full listener drops who is new, unless a session would make room") {
  Asked path(v4(0), 1);
  path.open_session(path.client);
  UdpPeer other(v4(0));
  // One datagram and no answer: it gives way.
  CHECK(path.ask(client_of(other)).outcome == ExplainOutcome::picked);
  path.open_session(path.client);
  CHECK(path.ask(client_of(other)).outcome == ExplainOutcome::listener_full);
  CHECK(path.ask(client_of(path.client)).outcome == ExplainOutcome::session);
  // Silent for long enough, it gives way again.
  path.bench.pass_ms(2000);
  CHECK(path.ask(client_of(other)).outcome == ExplainOutcome::picked);
}

TEST_CASE("max_connections of a UDP listener is a bound on its sessions, too") {
  Asked path(v4(0), 1000, 1);
  path.open_session(path.client);
  path.open_session(path.client);
  UdpPeer other(v4(0));
  CHECK(path.ask(client_of(other)).outcome == ExplainOutcome::listener_full);
}

TEST_CASE("a UDP listener whose only target is full has nobody to pick") {
  Asked path;
  TableMaker maker;
  maker.target(0, path.target.address(), true, 1);
  maker.pool({0}).listener(0, {path.bind});
  path.bench.adopt(maker.finish());
  path.open_session(path.client);
  UdpPeer other(v4(0));
  const table::Forecast forecast = path.ask(client_of(other));
  CHECK(forecast.outcome == ExplainOutcome::no_target);
  REQUIRE(forecast.pick.by_policy.candidates.size() == 1);
  CHECK(forecast.pick.by_policy.candidates[0].standing == table::Standing::full);
}

}  // namespace
}  // namespace sluice::test
