// UdpWorker over real sockets on the loopback interface: what clients and targets see.
#include "udp/udp_worker.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "udp/udp_fixture.h"

namespace sluice::test {
namespace {

using shared::CloseReason;

// `text()` without the port.
std::string host(const os::Address& address) {
  const std::string text = address.text();
  return text.substr(0, text.rfind(':'));
}

TEST_CASE("datagrams go to a target and its answers come back from the listener's address") {
  for (const bool ipv6 : {false, true}) {
    CAPTURE(ipv6);
    UdpBench bench;
    UdpPeer target(ipv6 ? v6(0) : v4(0));
    UdpPeer client(ipv6 ? v6(0) : v4(0));
    const Sockets bind = bind_udp(ipv6 ? v6(0) : v4(0));
    bench.adopt(simple_table(bind, {target.address()}));

    client.send(bind->address, "question");
    const Message question = bench.receive(target);
    CHECK(question.payload == "question");
    target.send(question.from, "answer one");
    target.send(question.from, "answer two");
    CHECK(bench.receive(client).payload == "answer one");
    const Message answer = bench.receive(client);
    CHECK(answer.payload == "answer two");
    CHECK(answer.from == bind->address);

    client.send(bind->address, "again");
    CHECK(bench.receive(target).from == question.from);
    CHECK(bench.worker().open_sessions() == 1);
    CHECK(bench.active(0) == 1);
    CHECK(bench.listener_active() == 1);
    CHECK(bench.listener().sessions_opened == 1);
    CHECK(bench.listener().to_target_datagrams == 2);
    CHECK(bench.listener().to_target_bytes == 13);
    CHECK(bench.listener().to_client_datagrams == 2);
    CHECK(bench.listener().to_client_bytes == 20);
    CHECK(bench.target(0).to_target_datagrams == 2);
    CHECK(bench.target(0).to_client_bytes == 20);
  }
}

TEST_CASE("an IPv4 client's IPv6 target gets its datagrams, and the other way round") {
  UdpBench bench;
  UdpPeer target(v6(0));
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {target.address()}));
  client.send(bind->address, "x");
  const Message seen = bench.receive(target);
  target.send(seen.from, "y");
  CHECK(bench.receive(client).payload == "y");
}

TEST_CASE("on a wildcard bind each answer leaves from the address that its client had used") {
  for (const bool dual_stack : {false, true}) {
    CAPTURE(dual_stack);
    UdpBench bench;
    UdpPeer target(v4(0));
    UdpPeer client(v4(0));
    const Sockets bind = bind_udp(dual_stack ? any_v6(0) : any_v4(0));
    bench.adopt(simple_table(bind, {target.address()}));
    const uint16_t port = bind->address.port();
    // One client, several addresses of ours: each is a session of its own.
    std::map<std::string, os::Address> asked;
    for (uint8_t last = 1; last <= 5; last++) {
      asked["to " + std::to_string(last)] = v4(port, last);
      client.send(v4(port, last), "to " + std::to_string(last));
    }
    for (int i = 0; i < 5; i++) {
      const Message seen = bench.receive(target);
      target.send(seen.from, seen.payload);
    }
    for (int i = 0; i < 5; i++) {
      const Message answer = bench.receive(client);
      CHECK(answer.from.text() == asked.at(answer.payload).text());
    }
    CHECK(bench.worker().open_sessions() == 5);
    if (dual_stack) {
      UdpPeer client6(v6(0));
      client6.send(v6(port), "six");
      target.send(bench.receive(target).from, "six too");
      const Message answer = bench.receive(client6);
      CHECK(answer.payload == "six too");
      CHECK(answer.from == v6(port));
    }
  }
}

TEST_CASE("datagrams of no bytes and of 65507 bytes pass whole, both ways, on any listener") {
  for (const bool bulk : {false, true}) {
    CAPTURE(bulk);
    UdpBench bench;
    UdpPeer target(v4(0));
    UdpPeer client(v4(0));
    const Sockets bind = bind_udp(v4(0));
    auto table = simple_table(bind, {target.address()});
    table->listeners[0].bulk = bulk;
    bench.adopt(std::move(table));
    uint32_t seed = 0;
    uint64_t bytes = 0;
    for (const size_t size : {0, 1, 1472, 1473, 0, 9000, 65507, 0, 65506}) {
      const std::string there = pattern(size, seed++);
      const std::string back = pattern(size, seed++);
      client.send(bind->address, there);
      const Message seen = bench.receive(target);
      CHECK(seen.payload == there);
      target.send(seen.from, back);
      CHECK(bench.receive(client).payload == back);
      bytes += size;
    }
    CHECK(bench.listener().to_target_bytes == bytes);
    CHECK(bench.listener().to_client_bytes == bytes);
    CHECK(bench.listener().to_client_datagrams == 9);
    CHECK(bench.listener().datagrams_dropped_truncated == 0);
  }
}

TEST_CASE("bursts from many clients arrive complete and in each client's order") {
  UdpBench bench;
  std::vector<UdpPeer> targets;
  for (int i = 0; i < 3; i++) targets.emplace_back(v4(0));
  std::vector<UdpPeer> clients;
  for (int i = 0; i < 20; i++) clients.emplace_back(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(
      simple_table(bind, {targets[0].address(), targets[1].address(), targets[2].address()}));
  constexpr int kBurst = 16;
  constexpr int kRounds = 4;
  std::map<std::string, std::vector<std::string>> answers;
  for (int round = 0; round < kRounds; round++) {
    // Interleaved, so that a batch holds pieces of many sessions.
    for (int i = 0; i < kBurst; i++) {
      for (UdpPeer& client : clients) {
        client.send(bind->address, std::to_string(round * kBurst + i));
      }
    }
    uint32_t answered = 0;
    REQUIRE(bench.until([&] {
      for (UdpPeer& target : targets) {
        while (const auto seen = target.receive()) target.send(seen->from, seen->payload);
      }
      for (UdpPeer& client : clients) {
        while (const auto answer = client.receive()) {
          answers[client.address().text()].push_back(answer->payload);
          answered++;
        }
      }
      return answered == clients.size() * kBurst;
    }));
  }
  for (const auto& [client, payloads] : answers) {
    REQUIRE(payloads.size() == kBurst * kRounds);
    for (size_t i = 0; i < payloads.size(); i++) CHECK(payloads[i] == std::to_string(i));
  }
  CHECK(bench.worker().open_sessions() == 20);
  CHECK(bench.active(0) + bench.active(1) + bench.active(2) == 20);
  // Round robin: 7, 7, 6 in some order.
  for (uint32_t slot = 0; slot < 3; slot++) CHECK(bench.active(slot) >= 6);
}

TEST_CASE("a flood of answers uses up its turn, waits in the ready list, and loses nothing") {
  shared::EngineOptions options;
  options.datagram_batch = 8;
  UdpBench bench(options);
  UdpPeer target(v4(0));
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {target.address()}));
  client.send(bind->address, "go");
  const Message seen = bench.receive(target);
  constexpr int kAnswers = 100;
  for (int i = 0; i < kAnswers; i++) target.send(seen.from, std::to_string(i));
  int next = 0;
  bool was_ready = false;
  REQUIRE(bench.until([&] {
    was_ready = was_ready || bench.worker().has_ready();
    while (const auto answer = client.receive()) CHECK(answer->payload == std::to_string(next++));
    return next == kAnswers;
  }));
  CHECK(was_ready);
  CHECK(bench.listener().to_client_datagrams == kAnswers);
}

TEST_CASE("a session that ends while it waits in the ready list is forgotten there") {
  shared::EngineOptions options;
  options.datagram_batch = 2;
  UdpBench bench(options);
  UdpPeer target(v4(0));
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {target.address()}));
  client.send(bind->address, "go");
  const Message seen = bench.receive(target);
  for (int i = 0; i < 60; i++) target.send(seen.from, "answer");
  REQUIRE(bench.until([&] { return bench.worker().has_ready(); }));
  bench.worker().close_sessions(shared::CloseScope::all, 0, CloseReason::closed_by_operator);
  bench.worker().end_turn();
  CHECK_FALSE(bench.worker().has_ready());
  CHECK(bench.worker().open_sessions() == 0);
  bench.settle();
}

TEST_CASE("datagrams from anyone but the target to a session's socket are not forwarded") {
  UdpBench bench;
  UdpPeer target(v4(0));
  UdpPeer stranger(v4(0));
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {target.address()}));
  client.send(bind->address, "question");
  const Message seen = bench.receive(target);
  // The stranger's may even be refused: the connected socket is not there for it.
  const std::string forged = "forged";
  static_cast<void>(
      ::sendto(stranger.fd(), forged.data(), forged.size(), 0, seen.from.get(), seen.from.bytes()));
  target.send(seen.from, "genuine");
  CHECK(bench.receive(client).payload == "genuine");
  bench.settle();
  CHECK_FALSE(client.receive().has_value());
  CHECK(bench.listener().to_client_datagrams == 1);
}

TEST_CASE("the pool's source addresses are used in turn") {
  UdpBench bench;
  UdpPeer target(v4(0));
  const Sockets bind = bind_udp(v4(0));
  auto table = simple_table(bind, {target.address()});
  table->pools[0].sources = {v4(0, 7), v4(0, 8)};
  bench.adopt(std::move(table));
  std::map<std::string, int> seen;
  for (int i = 0; i < 4; i++) {
    UdpPeer client(v4(0));
    client.send(bind->address, "x");
    seen[host(bench.receive(target).from)]++;
  }
  CHECK(seen["127.0.0.7"] == 2);
  CHECK(seen["127.0.0.8"] == 2);
}

TEST_CASE("two workers share the targets' counts and nothing else") {
  std::optional<shared::Region> region;
  fresh_region(region, 2);
  UdpPeer target(v4(0));
  const Sockets bind = bind_udp(v4(0), 2);
  constexpr int kClients = 64;
  std::vector<UdpPeer> clients;
  for (int i = 0; i < kClients; i++) clients.emplace_back(v4(0));
  std::atomic<bool> stop{false};
  std::atomic<uint32_t> adopted{0};
  const auto run = [&](uint32_t index) {
    UdpBench bench({}, &*region, index);
    bench.adopt(simple_table(bind, {target.address()}));
    adopted++;
    while (!stop) bench.turn(1);
    bench.stop();
  };
  std::thread first(run, 0);
  std::thread second(run, 1);
  while (adopted < 2) std::this_thread::yield();
  for (UdpPeer& client : clients) client.send(bind->address, "x");
  int arrived = 0;
  while (arrived < kClients && (wait_for(target.fd(), POLLIN) & POLLIN) != 0) {
    while (target.receive()) arrived++;
  }
  CHECK(arrived == kClients);
  CHECK(region->active()[0].load() == kClients);
  CHECK(region->listener_active()[0].load() == kClients);
  stop = true;
  first.join();
  second.join();
  CHECK(region->active()[0].load() == 0);
  CHECK(region->listener_active()[0].load() == 0);
  uint64_t opened = 0;
  for (uint32_t worker = 0; worker < 2; worker++) {
    opened += region->listener_counters(worker)[0].sessions_opened.load();
    // The kernel's hash spreads 64 clients over both.
    CHECK(region->listener_counters(worker)[0].sessions_opened.load() > 0);
  }
  CHECK(opened == kClients);
}

}  // namespace
}  // namespace sluice::test
