// What sessions do when targets die and when tables change.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "udp/udp_fixture.h"

namespace sluice::test {
namespace {

using shared::CloseReason;

uint64_t unreachable_events(UdpBench& bench, uint32_t slot, int error) {
  uint64_t count = 0;
  while (const auto event = bench.next_event()) {
    CHECK(event->type == static_cast<uint16_t>(shared::EventType::target_unreachable));
    CHECK(event->slot == slot);
    CHECK(event->error == error);
    count++;
  }
  return count;
}

TEST_CASE("of three targets one stops: its clients go elsewhere, the others lose nothing") {
  UdpBench bench;
  std::vector<UdpPeer> targets;
  std::vector<UdpPeer> clients;
  for (int i = 0; i < 3; i++) targets.emplace_back(v4(0));
  for (int i = 0; i < 30; i++) clients.emplace_back(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(
      simple_table(bind, {targets[0].address(), targets[1].address(), targets[2].address()}));
  std::map<std::string, size_t> target_of;  // by the client's address, which it sends
  const auto round = [&](int number) {
    std::set<std::string> answered;
    for (UdpPeer& client : clients) {
      client.send(bind->address, client.address().text() + " " + std::to_string(number));
    }
    // Until all that can come has come: ICMP errors are delivered within the send.
    for (int i = 0; i < 20; i++) {
      bench.turn(1);
      for (size_t t = 0; t < targets.size(); t++) {
        if (targets[t].fd() < 0) continue;
        while (const auto seen = targets[t].receive()) {
          target_of[seen->payload.substr(0, seen->payload.find(' '))] = t;
          targets[t].send(seen->from, seen->payload);
        }
      }
      for (UdpPeer& client : clients) {
        while (const auto answer = client.receive()) {
          CHECK(answer->payload == client.address().text() + " " + std::to_string(number));
          answered.insert(client.address().text());
        }
      }
    }
    return answered;
  };
  REQUIRE(round(0).size() == clients.size());
  const auto before = target_of;
  targets[1].close();
  const auto during = round(1);
  for (const UdpPeer& client : clients) {
    const std::string name = client.address().text();
    // What was in flight to the dead target is lost, and nothing else.
    CHECK(during.contains(name) == (before.at(name) != 1));
  }
  // Every next datagram of these finds another target at once, or after one more loss when the
  // policy turns to the dead one again: health will have taken that out of the table.
  bench.adopt([&] {
    TableMaker maker;
    for (uint32_t slot = 0; slot < 3; slot++) maker.target(slot, targets[slot].address());
    maker.pool({0, 2}).listener(0, {bind});
    return maker.finish();
  }());
  CHECK(round(2).size() == clients.size());
  for (const auto& [name, slot] : before) {
    if (slot != 1) CHECK(target_of.at(name) == slot);
    CHECK(target_of.at(name) != 1);
  }
  CHECK(bench.target(0).icmp_errors == 0);
  CHECK(bench.target(1).icmp_errors == 10);
  CHECK(bench.target(2).icmp_errors == 0);
  CHECK(bench.closed(CloseReason::target_down) == 10);
  CHECK(unreachable_events(bench, 1, ECONNREFUSED) == 10);
  CHECK(bench.active(1) == 0);
}

TEST_CASE("the datagram that meets an old ICMP error is sent to another target, not lost") {
  UdpBench bench;
  UdpPeer dying(v4(0));
  UdpPeer living(v4(0));
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  TableMaker maker;
  maker.target(0, dying.address()).target(1, living.address());
  maker.pool({0}).listener(0, {bind});
  bench.adopt(maker.finish());
  client.send(bind->address, "one");
  const Message seen = bench.receive(dying);
  // The answer is in the session's socket when the error comes.
  dying.send(seen.from, "answer");
  dying.close();
  TableMaker next;
  next.target(0, dying.address()).target(1, living.address());
  next.pool({0, 1}).listener(0, {bind});
  bench.adopt(next.finish());
  // In one batch, and as two messages, for the second is longer: the first brings the error that
  // the second meets within the same system call.
  client.send(bind->address, "two");
  client.send(bind->address, "three");
  const Message other = bench.receive(living);
  CHECK(other.payload == "three");
  CHECK(bench.receive(client).payload == "answer");
  CHECK(bench.worker().open_sessions() == 1);
  CHECK(bench.target(0).icmp_errors == 1);
  CHECK(bench.active(0) == 0);
  CHECK(bench.active(1) == 1);
}

TEST_CASE("the only target is tried again when it is back, at the cost of nothing more") {
  UdpBench bench;
  UdpPeer target(v4(0));
  const os::Address address = target.address();
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {address}));
  client.send(bind->address, "one");
  bench.receive(target);
  target.close();
  client.send(bind->address, "lost");
  bench.settle();
  CHECK(bench.target(0).icmp_errors == 1);
  CHECK(bench.worker().open_sessions() == 0);
  UdpPeer again(address);
  client.send(bind->address, "two");
  CHECK(bench.receive(again).payload == "two");
}

TEST_CASE("a reload keeps sessions on binds that stay and ends those on binds that go") {
  UdpBench bench;
  UdpPeer target(v4(0));
  UdpPeer client(v4(0));
  const Sockets stays = bind_udp(v4(0));
  const Sockets goes = bind_udp(v4(0));
  const Sockets comes = bind_udp(v4(0));
  TableMaker first;
  first.target(0, target.address()).pool({0}).listener(0, {goes, stays});
  bench.adopt(first.finish());
  client.send(stays->address, "x");
  const os::Address kept = bench.receive(target).from;
  client.send(goes->address, "x");
  bench.receive(target);
  CHECK(bench.worker().open_sessions() == 2);

  TableMaker second;
  second.target(0, target.address()).pool({0}).listener(0, {comes, stays});
  bench.adopt(second.finish());
  CHECK(bench.worker().open_sessions() == 1);
  CHECK(bench.closed(CloseReason::closed_by_operator) == 1);
  client.send(stays->address, "x");
  CHECK(bench.receive(target).from == kept);
  client.send(comes->address, "x");
  const Message seen = bench.receive(target);
  CHECK_FALSE(seen.from == kept);
  target.send(seen.from, "y");
  CHECK(bench.receive(client).from == comes->address);
  // Nobody listens to the socket that went, although it is still open.
  client.send(goes->address, "x");
  bench.settle();
  CHECK_FALSE(target.receive().has_value());
}

TEST_CASE("a listener that goes ends its sessions, its bind may serve another at once") {
  UdpBench bench;
  UdpPeer target(v4(0));
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {target.address()}));
  client.send(bind->address, "x");
  const Message seen = bench.receive(target);
  TableMaker moved;
  moved.target(0, target.address()).pool({0}).listener(5, {bind}).access_log = true;
  bench.adopt(moved.finish());
  CHECK(bench.closed(CloseReason::closed_by_operator, 0) == 1);
  client.send(bind->address, "x");
  bench.receive(target);
  CHECK(bench.listener(5).sessions_opened == 1);
  TableMaker none;
  none.target(0, target.address()).pool({0});
  bench.adopt(none.finish());
  CHECK(bench.worker().open_sessions() == 0);
  CHECK(bench.listener_active(5) == 0);
  // Its record is written although the listener is gone.
  const auto event = bench.next_event();
  REQUIRE(event.has_value());
  CHECK(event->slot == 5);
}

TEST_CASE("sessions leave a target that is gone, has moved or no longer serves them") {
  enum class Change { gone, moved, unhealthy, draining };
  for (const Change change : {Change::gone, Change::moved, Change::unhealthy, Change::draining}) {
    CAPTURE(static_cast<int>(change));
    UdpBench bench;
    UdpPeer old_target(v4(0));
    UdpPeer other(v4(0));
    UdpPeer client(v4(0));
    UdpPeer other_client(v4(0));
    const Sockets bind = bind_udp(v4(0));
    const Sockets other_bind = bind_udp(v4(0));
    TableMaker first;
    first.target(0, old_target.address()).target(1, other.address());
    first.pool({0}).pool({1}).listener(0, {bind});
    first.listener(1, {other_bind}).pool_index = 1;
    bench.adopt(first.finish());
    client.send(bind->address, "x");
    const os::Address before = bench.receive(old_target).from;
    other_client.send(other_bind->address, "x");
    const os::Address untouched = bench.receive(other).from;

    UdpPeer new_place(v4(0));
    TableMaker second;
    if (change == Change::moved) second.target(0, new_place.address());
    if (change == Change::unhealthy) second.target(0, old_target.address(), false);
    if (change == Change::draining) second.target(0, old_target.address(), true);
    second.target(1, other.address());
    second.pool({1}).pool({1}).listener(0, {bind});
    second.listener(1, {other_bind}).pool_index = 1;
    bench.adopt(second.finish());

    client.send(bind->address, "y");
    if (change == Change::draining) {
      // No new session would come here; this one stays.
      CHECK(bench.receive(old_target).from == before);
      CHECK(bench.closed(CloseReason::target_down) == 0);
    } else {
      CHECK(bench.receive(other).payload == "y");
      CHECK(bench.closed(CloseReason::target_down) == 1);
      CHECK(bench.active(0) == 0);
    }
    other_client.send(other_bind->address, "z");
    CHECK(bench.receive(other).from == untouched);
  }
}

TEST_CASE("a pool without an eligible target drops and counts") {
  UdpBench bench;
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  TableMaker maker;
  maker.pool({}).listener(0, {bind});
  bench.adopt(maker.finish());
  client.send(bind->address, "x");
  client.send(bind->address, "y");
  REQUIRE(bench.until([&] { return bench.listener().datagrams_dropped_no_target == 2; }));
  CHECK(bench.worker().open_sessions() == 0);
  CHECK(bench.listener_active() == 0);
}

}  // namespace
}  // namespace sluice::test
