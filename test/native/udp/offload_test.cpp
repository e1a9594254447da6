// GSO and GRO (techniques.md, pitfall 13): datagram boundaries are kept exactly, whatever joins and
// cuts on the way, on the loopback interface and over veth pairs with offloads on and off.
#include <doctest/doctest.h>
#include <netinet/udp.h>

#include <string>
#include <vector>

#include "udp/network_namespace.h"
#include "udp/udp_fixture.h"

namespace sluice::test {
namespace {

// All datagrams of one size but the last, in one call.
void send_joined(const UdpPeer& from, const os::Address& to, const std::string& all,
                 uint16_t segment_bytes) {
  iovec part{const_cast<char*>(all.data()), all.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))] = {};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to.get());
  message.msg_namelen = to.bytes();
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  cmsghdr* segment = CMSG_FIRSTHDR(&message);
  segment->cmsg_level = SOL_UDP;
  segment->cmsg_type = UDP_SEGMENT;
  segment->cmsg_len = CMSG_LEN(sizeof(uint16_t));
  std::memcpy(CMSG_DATA(segment), &segment_bytes, sizeof(segment_bytes));
  REQUIRE(::sendmsg(from.fd(), &message, 0) == static_cast<ssize_t>(all.size()));
}

enum class Sending : uint8_t { joined, one_by_one };

std::vector<std::string> send_burst(UdpPeer& from, const os::Address& to, size_t bytes,
                                    uint16_t segment_bytes, uint32_t seed, Sending sending) {
  const std::string all = pattern(bytes, seed);
  std::vector<std::string> datagrams;
  for (size_t at = 0; at < all.size(); at += segment_bytes) {
    datagrams.push_back(all.substr(at, segment_bytes));
  }
  if (sending == Sending::joined) {
    send_joined(from, to, all, segment_bytes);
  } else {
    for (const std::string& datagram : datagrams) from.send(to, datagram);
  }
  return datagrams;
}

// Receives exactly these, in this order; answers where they came from.
os::Address expect_all(UdpBench& bench, UdpPeer& at, const std::vector<std::string>& datagrams) {
  os::Address from;
  size_t next = 0;
  REQUIRE(bench.until([&] {
    while (const auto seen = at.receive()) {
      REQUIRE(next < datagrams.size());
      REQUIRE(seen->payload.size() == datagrams[next].size());
      CHECK(seen->payload == datagrams[next]);
      from = seen->from;
      next++;
    }
    return next == datagrams.size();
  }));
  return from;
}

struct Burst {
  size_t bytes;
  uint16_t segment_bytes;
};

// Bursts there and back; every datagram must arrive as it was sent.
void exchange(UdpBench& bench, UdpPeer& client, UdpPeer& target, const os::Address& listener,
              const std::vector<Burst>& bursts, Sending sending) {
  uint32_t seed = 0;
  uint64_t datagrams = 0;
  const uint64_t before = bench.listener().to_client_datagrams;
  for (const Burst& burst : bursts) {
    CAPTURE(burst.bytes);
    CAPTURE(burst.segment_bytes);
    const auto there =
        send_burst(client, listener, burst.bytes, burst.segment_bytes, seed++, sending);
    const os::Address from = expect_all(bench, target, there);
    const auto back = send_burst(target, from, burst.bytes, burst.segment_bytes, seed++, sending);
    CHECK(expect_all(bench, client, back) == listener);
    datagrams += back.size();
  }
  CHECK(bench.listener().to_client_datagrams - before == datagrams);
  CHECK(bench.listener().datagrams_dropped_truncated == 0);
  CHECK(bench.listener().datagrams_dropped_send_error == 0);
  CHECK(bench.listener().datagrams_dropped_would_block == 0);
}

const std::vector<Burst> kBursts = {{6400, 100},  {6450, 100},   {6401, 100},   {64, 1},
                                    {3, 2},       {60000, 1400}, {63801, 1400}, {1400, 1400},
                                    {2800, 1400}, {65000, 1100}};

TEST_CASE("joined datagrams keep their boundaries with every mix of GRO, GSO and bulk") {
  for (int mix = 0; mix < 8; mix++) {
    CAPTURE(mix);
    shared::EngineOptions options;
    options.udp_gso = (mix & 1) != 0;
    options.udp_gro = (mix & 2) != 0;
    const bool bulk = (mix & 4) != 0;
    UdpBench bench(options);
    UdpPeer target(v4(0));
    UdpPeer client(v4(0));
    const Sockets bind = bind_udp(v4(0));
    auto table = simple_table(bind, {target.address()});
    table->listeners[0].bulk = bulk;
    bench.adopt(std::move(table));
    exchange(bench, client, target, bind->address, kBursts, Sending::joined);
    exchange(bench, client, target, bind->address, kBursts, Sending::one_by_one);
  }
}

TEST_CASE("on a wildcard bind a joined answer still leaves from the address the client used") {
  UdpBench bench;
  UdpPeer target(v4(0));
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(any_v6(0));
  auto table = simple_table(bind, {target.address()});
  table->listeners[0].bulk = true;
  bench.adopt(std::move(table));
  exchange(bench, client, target, v4(bind->address.port(), 9), kBursts, Sending::joined);
}

TEST_CASE("bounds of requests and responses count datagrams, also inside a joined one") {
  UdpBench bench;
  UdpPeer target(v4(0));
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  auto table = simple_table(bind, {target.address()});
  table->listeners[0].bulk = true;
  table->listeners[0].udp_requests = 3;
  table->listeners[0].udp_responses = 1;
  bench.adopt(std::move(table));
  const auto there = send_burst(client, bind->address, 1000, 100, 1, Sending::joined);
  std::vector<Message> seen;
  for (size_t i = 0; i < there.size(); i++) {
    seen.push_back(bench.receive(target));
    CHECK(seen[i].payload == there[i]);
  }
  CHECK(bench.listener().sessions_opened == 4);
  for (size_t i = 0; i < seen.size(); i++) CHECK(seen[i].from == seen[i / 3 * 3].from);
  // Five answers in one piece where three are expected: the rest is nobody's.
  const auto back = send_burst(target, seen[0].from, 500, 100, 2, Sending::joined);
  for (int i = 0; i < 3; i++) CHECK(bench.receive(client).payload == back[static_cast<size_t>(i)]);
  bench.settle();
  CHECK_FALSE(client.receive().has_value());
  CHECK(bench.closed(shared::CloseReason::completed) == 1);
}

TEST_CASE("a target of its own GRO sees that a burst left in one piece") {
  UdpBench bench;
  UdpPeer target(v4(0));
  const int on = 1;
  REQUIRE(::setsockopt(target.fd(), SOL_UDP, UDP_GRO, &on, sizeof(on)) == 0);
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {target.address()}));
  for (int i = 0; i < 16; i++) client.send(bind->address, pattern(120, 3));
  CHECK(bench.receive(target).payload.size() == 16 * 120);
  CHECK(bench.listener().to_target_datagrams == 16);
}

// Client and target on one side of a veth pair, sluice on the other.
struct VethPair {
  NetworkNamespace outside;
  NetworkNamespace inside;

  void connect(int mtu) {
    for (const auto* side : {&outside, &inside}) side->run("ip link set lo up");
    inside.run("ip link add veth0 type veth peer name veth1 netns " + outside.path());
    for (const auto& [side, device, address] :
         {std::tuple{&inside, "veth0", "10.99.0.1/24"}, {&outside, "veth1", "10.99.0.2/24"}}) {
      side->run(std::string("ip link set ") + device + " mtu " + std::to_string(mtu) + " up");
      side->run(std::string("ip address add ") + address + " dev " + device);
    }
  }
  void set_offloads(bool on) {
    for (const auto& [side, device] : {std::pair{&inside, "veth0"}, {&outside, "veth1"}}) {
      for (const uint32_t command : {ETHTOOL_SGSO, ETHTOOL_STXCSUM, ETHTOOL_SGRO}) {
        REQUIRE(side->set_offload(device, command, on));
      }
    }
  }
};

os::Address veth_address(uint8_t last, uint16_t port) {
  const uint8_t ip[4] = {10, 99, 0, last};
  return os::Address::ipv4(ip, port);
}

TEST_CASE("bulk traffic over a veth pair loses nothing, with offloads and without") {
  VethPair veth;
  if (!namespaces_available(veth.inside)) return;
  veth.connect(1500);
  for (const bool offloads : {true, false}) {
    for (const bool bulk : {true, false}) {
      CAPTURE(offloads);
      CAPTURE(bulk);
      veth.set_offloads(offloads);
      std::optional<UdpPeer> target;
      std::optional<UdpPeer> client;
      {
        const NetworkNamespace::Inside there(veth.outside);
        target.emplace(veth_address(2, 0));
        client.emplace(veth_address(2, 0));
      }
      const NetworkNamespace::Inside here(veth.inside);
      UdpBench bench;
      const Sockets bind = bind_udp(any_v4(0));
      auto table = simple_table(bind, {target->address()});
      table->listeners[0].bulk = bulk;
      bench.adopt(std::move(table));
      const os::Address listener = veth_address(1, bind->address.port());
      exchange(bench, *client, *target, listener, kBursts, Sending::one_by_one);
      exchange(bench, *client, *target, listener, {{65507, 65507}, {18000, 9000}},
               Sending::one_by_one);
    }
  }
}

TEST_CASE("datagrams above the MTU are refused as one piece and arrive all the same") {
  VethPair veth;
  if (!namespaces_available(veth.inside)) return;
  veth.connect(600);
  std::optional<UdpPeer> target;
  std::optional<UdpPeer> client;
  {
    const NetworkNamespace::Inside there(veth.outside);
    target.emplace(veth_address(2, 0));
    client.emplace(veth_address(2, 0));
  }
  const NetworkNamespace::Inside here(veth.inside);
  UdpBench bench;
  const Sockets bind = bind_udp(any_v4(0));
  bench.adopt(simple_table(bind, {target->address()}));
  exchange(bench, *client, *target, veth_address(1, bind->address.port()),
           {{16000, 1000}, {16000, 500}, {65507, 65507}}, Sending::one_by_one);
}

TEST_CASE("a target without a route is passed over at once, at no datagram's cost") {
  NetworkNamespace lonely;
  if (!namespaces_available(lonely)) return;
  lonely.run("ip link set lo up");
  const NetworkNamespace::Inside here(lonely);
  UdpBench bench;
  UdpPeer target(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {veth_address(1, 9), target.address()}));
  for (int i = 0; i < 4; i++) {
    UdpPeer client(v4(0));
    client.send(bind->address, "x");
    CHECK(bench.receive(target).payload == "x");
  }
  CHECK(bench.target(0).icmp_errors >= 1);
  CHECK(bench.active(0) == 0);
  CHECK(bench.active(1) == 4);
  const auto event = bench.next_event();
  REQUIRE(event.has_value());
  CHECK(event->type == static_cast<uint16_t>(shared::EventType::target_unreachable));
  CHECK(event->error == ENETUNREACH);
}

TEST_CASE("a machine that does not answer on its link ends the session that waits for it") {
  VethPair veth;
  if (!namespaces_available(veth.inside)) return;
  veth.connect(1500);
  const NetworkNamespace::Inside here(veth.inside);
  // The neighbour's silence takes some 3 s by default.
  veth.inside.run("echo 20 > /proc/sys/net/ipv4/neigh/veth0/retrans_time_ms");
  UdpBench bench;
  UdpPeer client(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {veth_address(77, 9)}));
  client.send(bind->address, "x");
  REQUIRE(bench.until([&] { return bench.closed(shared::CloseReason::target_down) == 1; }));
  CHECK(bench.target(0).icmp_errors == 1);
  const auto event = bench.next_event();
  REQUIRE(event.has_value());
  CHECK(event->error == EHOSTUNREACH);
}

}  // namespace
}  // namespace sluice::test
