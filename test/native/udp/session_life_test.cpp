// How sessions begin and end: timeouts, bounds, room, operators, tables.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "udp/udp_fixture.h"

namespace sluice::test {
namespace {

using shared::CloseReason;

// A listener in front of one target, and as many clients as a test needs.
struct OneTarget {
  UdpBench bench;
  UdpPeer target{v4(0)};
  Sockets bind = bind_udp(v4(0));

  template <typename Change>
  void adopt(Change&& change) {
    auto table = simple_table(bind, {target.address()});
    change(table->listeners[0]);
    bench.adopt(std::move(table));
  }
  // Sends one datagram; answers where the target saw it come from.
  os::Address ask(UdpPeer& client, const std::string& payload = "x") {
    client.send(bind->address, payload);
    const Message seen = bench.receive(target);
    CHECK(seen.payload == payload);
    return seen.from;
  }
  void drop(UdpPeer& client) {
    client.send(bind->address, "dropped");
    bench.settle();
    CHECK_FALSE(target.receive().has_value());
  }
};

TEST_CASE("a silent session ends after the idle timeout, a busy one does not") {
  OneTarget t;
  t.adopt([](table::Listener& listener) { listener.idle_timeout_ms = 1000; });
  UdpPeer silent(v4(0));
  UdpPeer asking(v4(0));
  UdpPeer answered(v4(0));
  t.ask(silent);
  const os::Address first = t.ask(asking);
  const os::Address answers_to = t.ask(answered);
  for (int i = 0; i < 3; i++) {
    t.bench.pass_ms(600);
    CHECK(t.ask(asking) == first);
    // Answers keep a session alive as well.
    t.target.send(answers_to, "a");
    t.bench.receive(answered);
  }
  CHECK(t.bench.worker().open_sessions() == 2);
  CHECK(t.bench.closed(CloseReason::idle_timeout) == 1);
  t.bench.pass_ms(990);
  CHECK(t.bench.worker().open_sessions() == 2);
  t.bench.pass_ms(30);
  CHECK(t.bench.worker().open_sessions() == 0);
  CHECK(t.bench.closed(CloseReason::idle_timeout) == 3);
  CHECK(t.bench.active(0) == 0);
  CHECK(t.bench.listener_active() == 0);
  CHECK(t.bench.armed_timers() == 0);
  // The client starts over.
  CHECK_FALSE(t.ask(asking) == first);
}

TEST_CASE("a session ends at its lifetime, however busy, and never without timeouts") {
  OneTarget t;
  t.adopt([](table::Listener& listener) {
    listener.idle_timeout_ms = 1000;
    listener.lifetime_ms = 2000;
  });
  UdpPeer client(v4(0));
  t.ask(client);
  for (int i = 0; i < 3; i++) {
    t.bench.pass_ms(600);
    t.ask(client);
  }
  t.bench.pass_ms(220);
  CHECK(t.bench.closed(CloseReason::lifetime) == 1);
  t.adopt([](table::Listener& listener) {
    listener.idle_timeout_ms = 0;
    listener.lifetime_ms = 0;
  });
  t.ask(client);
  t.bench.pass_ms(uint64_t{400} * 24 * 3600 * 1000);
  CHECK(t.bench.worker().open_sessions() == 1);
}

TEST_CASE("a reload with a shorter idle timeout holds for sessions that exist") {
  OneTarget t;
  t.adopt([](table::Listener& listener) { listener.idle_timeout_ms = 60'000; });
  UdpPeer client(v4(0));
  t.ask(client);
  t.adopt([](table::Listener& listener) { listener.idle_timeout_ms = 500; });
  t.bench.pass_ms(520);
  CHECK(t.bench.closed(CloseReason::idle_timeout) == 1);
}

TEST_CASE("a session with a bound of responses ends when each request has its answers") {
  OneTarget t;
  t.adopt([](table::Listener& listener) { listener.udp_responses = 2; });
  UdpPeer client(v4(0));
  const os::Address from = t.ask(client, "one");
  CHECK(t.ask(client, "two") == from);
  for (int i = 0; i < 3; i++) {
    t.target.send(from, "a");
    t.bench.receive(client);
  }
  CHECK(t.bench.worker().open_sessions() == 1);
  // The fourth is the last; the fifth is nobody's.
  t.target.send(from, "a");
  t.target.send(from, "surplus");
  CHECK(t.bench.receive(client).payload == "a");
  t.bench.settle();
  CHECK_FALSE(client.receive().has_value());
  CHECK(t.bench.closed(CloseReason::completed) == 1);
  CHECK(t.bench.listener().to_client_datagrams == 4);
  CHECK_FALSE(t.ask(client) == from);
}

TEST_CASE("a bound of requests gives every so many datagrams a session of their own") {
  OneTarget t;
  t.adopt([](table::Listener& listener) {
    listener.udp_requests = 2;
    listener.udp_responses = 1;
  });
  UdpPeer client(v4(0));
  // All in one batch.
  for (int i = 0; i < 5; i++) client.send(t.bind->address, std::to_string(i));
  std::vector<os::Address> from;
  for (int i = 0; i < 5; i++) {
    const Message seen = t.bench.receive(t.target);
    CHECK(seen.payload == std::to_string(i));
    from.push_back(seen.from);
  }
  CHECK(from[0] == from[1]);
  CHECK(from[2] == from[3]);
  CHECK_FALSE(from[0] == from[2]);
  CHECK_FALSE(from[2] == from[4]);
  CHECK(t.bench.worker().open_sessions() == 3);
  // The first two wait for their answers, although their client has moved on.
  for (int i = 0; i < 4; i++) {
    t.target.send(from[static_cast<size_t>(i)], "answer " + std::to_string(i));
    CHECK(t.bench.receive(client).payload == "answer " + std::to_string(i));
  }
  CHECK(t.bench.worker().open_sessions() == 1);
  CHECK(t.bench.closed(CloseReason::completed) == 2);
  CHECK(t.ask(client) == from[4]);
}

TEST_CASE("with a bound of requests alone a session waits for answers until it is idle") {
  OneTarget t;
  t.adopt([](table::Listener& listener) {
    listener.udp_requests = 1;
    listener.idle_timeout_ms = 1000;
  });
  UdpPeer client(v4(0));
  const os::Address from = t.ask(client);
  CHECK_FALSE(t.ask(client) == from);
  t.target.send(from, "late");
  CHECK(t.bench.receive(client).payload == "late");
  t.bench.pass_ms(1020);
  CHECK(t.bench.worker().open_sessions() == 0);
  CHECK(t.bench.closed(CloseReason::completed) == 2);
}

TEST_CASE("a full listener gives the place of its oldest unproven session to a new client") {
  OneTarget t;
  t.adopt([](table::Listener& listener) { listener.udp_sessions_max = 4; });
  UdpPeer talks(v4(0));
  UdpPeer answered(v4(0));
  UdpPeer spoofed_first(v4(0));
  UdpPeer spoofed_second(v4(0));
  const os::Address talks_from = t.ask(talks);
  t.ask(talks);
  const os::Address answered_from = t.ask(answered);
  t.target.send(answered_from, "a");
  t.bench.receive(answered);
  t.ask(spoofed_first);
  const os::Address second_from = t.ask(spoofed_second);

  UdpPeer newcomer(v4(0));
  const os::Address newcomer_from = t.ask(newcomer);
  CHECK(t.bench.worker().open_sessions() == 4);
  CHECK(t.bench.closed(CloseReason::limit) == 1);
  CHECK(t.ask(spoofed_second) == second_from);
  CHECK(t.ask(talks) == talks_from);
  CHECK(t.ask(answered) == answered_from);
  CHECK(t.ask(newcomer) == newcomer_from);
  // Now all four have proved to be real, and none is idle.
  t.drop(spoofed_first);
  CHECK(t.bench.listener().datagrams_dropped_sessions_full == 1);
  CHECK(t.bench.closed(CloseReason::limit) == 1);

  // After a second of silence the least recently active goes; those that talk stay.
  t.bench.pass_ms(1500);
  CHECK(t.ask(talks) == talks_from);
  CHECK(t.ask(answered) == answered_from);
  CHECK(t.ask(newcomer) == newcomer_from);
  t.ask(spoofed_first);
  CHECK(t.bench.closed(CloseReason::limit) == 2);
  CHECK(t.ask(talks) == talks_from);
  CHECK(t.ask(answered) == answered_from);
  CHECK(t.ask(newcomer) == newcomer_from);
}

TEST_CASE("a flood of spoofed clients does not lock out a real one, and loses no datagram itself") {
  OneTarget t;
  t.adopt([](table::Listener& listener) { listener.udp_sessions_max = 16; });
  UdpPeer real(v4(0));
  const os::Address from = t.ask(real);
  t.ask(real);
  constexpr int kFlood = 400;
  int seen = 0;
  for (int i = 0; i < kFlood; i++) {
    UdpPeer spoofed(v4(0));
    spoofed.send(t.bind->address, "flood");
    // In batches larger than the map: sessions are evicted in the batch that opened them.
    if (i % 50 == 49) {
      REQUIRE(t.bench.until([&] {
        while (t.target.receive()) seen++;
        return seen == i + 1;
      }));
      CHECK(t.ask(real) == from);
    }
  }
  CHECK(seen == kFlood);
  CHECK(t.bench.worker().open_sessions() == 16);
  CHECK(t.bench.listener().datagrams_dropped_sessions_full == 0);
  UdpPeer late(v4(0));
  t.ask(late);
}

// Leaves room for so many more descriptors while it lives.
class DescriptorsLeft {
 public:
  explicit DescriptorsLeft(rlim_t count) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const os::Fd lowest_free(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
    REQUIRE(lowest_free.valid());
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(lowest_free.get()) + count;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  }
  ~DescriptorsLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  DescriptorsLeft(const DescriptorsLeft&) = delete;
  DescriptorsLeft& operator=(const DescriptorsLeft&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE("when descriptors run out the oldest unproven session gives way to a new client") {
  OneTarget t;
  t.adopt([](table::Listener&) {});
  UdpPeer real(v4(0));
  const os::Address from = t.ask(real);
  t.ask(real);
  std::vector<UdpPeer> flood;
  for (int i = 0; i < 20; i++) flood.emplace_back(v4(0));
  UdpPeer late(v4(0));
  const DescriptorsLeft left(3);
  for (UdpPeer& spoofed : flood) t.ask(spoofed);
  t.ask(late);
  CHECK(t.ask(real) == from);
  CHECK(t.bench.listener().datagrams_dropped_local_error == 0);
  CHECK(t.bench.closed(CloseReason::limit) == 18);
  CHECK(t.bench.worker().open_sessions() == 4);
  CHECK(t.bench.active(0) == 4);
}

TEST_CASE("after a shortage a share of the sessions stays free for a second, then all may be had") {
  OneTarget t;
  t.adopt([](table::Listener&) {});
  std::vector<UdpPeer> flood;
  for (int i = 0; i < 110; i++) flood.emplace_back(v4(0));
  const DescriptorsLeft left(100);
  for (UdpPeer& spoofed : flood) t.ask(spoofed);
  CHECK(t.bench.listener().datagrams_dropped_local_error == 0);
  CHECK(t.bench.worker().open_sessions() == 97);
  t.bench.pass_ms(1100);
  for (UdpPeer& spoofed : flood) t.ask(spoofed);
  CHECK(t.bench.listener().datagrams_dropped_local_error == 0);
  CHECK(t.bench.worker().open_sessions() >= 97);
}

TEST_CASE("with nobody to give way a datagram without a descriptor is dropped and counted") {
  OneTarget t;
  t.adopt([](table::Listener&) {});
  UdpPeer first(v4(0));
  UdpPeer second(v4(0));
  UdpPeer late(v4(0));
  {
    const DescriptorsLeft left(2);
    for (UdpPeer* client : {&first, &second}) {
      t.ask(*client);
      t.ask(*client);
    }
    t.drop(late);
    CHECK(t.bench.listener().datagrams_dropped_local_error == 1);
    CHECK(t.bench.listener_active() == 2);
    CHECK(t.bench.active(0) == 2);
  }
  t.ask(late);
}

TEST_CASE("the worker's bound makes room where the flood is, not at its neighbour") {
  shared::EngineOptions options;
  options.sessions_max = 8;
  UdpBench bench(options);
  UdpPeer target(v4(0));
  const Sockets flooded = bind_udp(v4(0));
  const Sockets quiet = bind_udp(v4(0));
  TableMaker maker;
  maker.target(0, target.address()).pool({0});
  maker.listener(0, {flooded});
  maker.listener(1, {quiet});
  bench.adopt(maker.finish());
  const auto ask = [&](UdpPeer& client, const Sockets& bind) {
    client.send(bind->address, "x");
    return bench.receive(target).from;
  };
  UdpPeer waiting(v4(0));
  const os::Address from = ask(waiting, quiet);
  for (int i = 0; i < 20; i++) {
    UdpPeer spoofed(v4(0));
    ask(spoofed, flooded);
  }
  UdpPeer late(v4(0));
  ask(late, quiet);
  CHECK(bench.worker().open_sessions() == 8);
  CHECK(bench.closed(CloseReason::limit, 0) == 14);
  CHECK(bench.closed(CloseReason::limit, 1) == 0);
  CHECK(ask(waiting, quiet) == from);
}

TEST_CASE("max_connections of the listener bounds its sessions over all workers") {
  OneTarget t;
  t.adopt([](table::Listener& listener) { listener.max_connections = 2; });
  UdpPeer first(v4(0));
  UdpPeer second(v4(0));
  UdpPeer third(v4(0));
  for (int i = 0; i < 2; i++) {
    t.ask(first);
    t.ask(second);
  }
  t.drop(third);
  CHECK(t.bench.listener().datagrams_dropped_sessions_full == 1);
  CHECK(t.bench.listener_active() == 2);
}

TEST_CASE("a target at its max_connections gets no more sessions") {
  UdpBench bench;
  UdpPeer target(v4(0));
  const Sockets bind = bind_udp(v4(0));
  TableMaker maker;
  maker.target(0, target.address(), true, 2).pool({0}).listener(0, {bind});
  bench.adopt(maker.finish());
  std::vector<UdpPeer> clients;
  for (int i = 0; i < 3; i++) clients.emplace_back(v4(0));
  for (UdpPeer& client : clients) client.send(bind->address, "x");
  REQUIRE(bench.until([&] { return bench.listener().datagrams_dropped_no_target == 1; }));
  CHECK(bench.active(0) == 2);
  CHECK(bench.worker().open_sessions() == 2);
}

TEST_CASE("sessions_max may change while sessions live") {
  OneTarget t;
  t.adopt([](table::Listener& listener) { listener.udp_sessions_max = 3; });
  std::vector<UdpPeer> clients;
  std::vector<os::Address> from;
  for (int i = 0; i < 40; i++) clients.emplace_back(v4(0));
  const auto ask_twice = [&](size_t i) {
    from.push_back(t.ask(clients[i]));
    CHECK(t.ask(clients[i]) == from[i]);
  };
  for (size_t i = 0; i < 3; i++) ask_twice(i);
  t.drop(clients[3]);
  t.adopt([](table::Listener& listener) { listener.udp_sessions_max = 40; });
  for (size_t i = 3; i < 39; i++) ask_twice(i);
  t.adopt([](table::Listener& listener) { listener.udp_sessions_max = 2; });
  for (size_t i = 0; i < 39; i++) CHECK(t.ask(clients[i]) == from[i]);
  t.drop(clients[39]);
  CHECK(t.bench.worker().open_sessions() == 39);
}

TEST_CASE("an access record tells of each session's end") {
  OneTarget t;
  t.adopt([](table::Listener& listener) {
    listener.access_log = true;
    listener.udp_responses = 1;
  });
  UdpPeer client(v4(0));
  const os::Address from = t.ask(client, "question");
  t.bench.pass_ms(250);
  t.target.send(from, "the answer");
  t.bench.receive(client);
  t.bench.settle();
  const auto event = t.bench.next_event();
  REQUIRE(event.has_value());
  CHECK(event->type == static_cast<uint16_t>(shared::EventType::session_ended));
  CHECK(event->code == static_cast<uint16_t>(CloseReason::completed));
  CHECK(event->slot == 0);
  CHECK(event->target_slot == 0);
  CHECK(event->client_port == client.address().port());
  CHECK(event->client_ip[15] == 1);
  CHECK(event->duration_ms == 250);
  CHECK(event->to_target_bytes == 8);
  CHECK(event->to_client_bytes == 10);
  CHECK_FALSE(t.bench.next_event().has_value());
}

TEST_CASE("each session's end is in the histograms of its listener") {
  OneTarget t;
  t.adopt([](table::Listener& listener) { listener.idle_timeout_ms = 1000; });
  UdpPeer first(v4(0));
  UdpPeer second(v4(0));
  t.ask(first, "question");
  t.bench.pass_ms(500);
  const os::Address from = t.ask(second, "why?");
  t.target.send(from, "so");
  t.bench.receive(second);
  t.bench.pass_ms(3000);
  REQUIRE(t.bench.closed(CloseReason::idle_timeout) == 2);
  const shared::EndHistograms& ends = t.bench.ends();
  CHECK(ends.duration_ms.sum.load() == 3500 + 3000);
  CHECK(ends.duration_ms.buckets[shared::histogram_bucket(3500)].load() == 1);
  CHECK(ends.duration_ms.buckets[shared::histogram_bucket(3000)].load() == 1);
  CHECK(ends.to_target_bytes.buckets[shared::histogram_bucket(7)].load() == 1);
  CHECK(ends.to_target_bytes.buckets[3].load() == 1);
  CHECK(ends.to_target_bytes.sum.load() == t.bench.listener().to_target_bytes.load());
  CHECK(ends.to_client_bytes.buckets[0].load() == 1);
  CHECK(ends.to_client_bytes.sum.load() == 2);
}

TEST_CASE("close_sessions ends what it names and nothing else") {
  UdpBench bench;
  UdpPeer targets[2] = {UdpPeer(v4(0)), UdpPeer(v4(0))};
  UdpPeer client(v4(0));
  const Sockets binds[2] = {bind_udp(v4(0)), bind_udp(v4(0))};
  TableMaker maker;
  maker.target(0, targets[0].address()).target(1, targets[1].address()).pool({0}).pool({1});
  maker.listener(0, {binds[0]});
  maker.listener(1, {binds[1]}).pool_index = 1;
  bench.adopt(maker.finish());
  const auto open_both = [&] {
    for (int i = 0; i < 2; i++) {
      client.send(binds[i]->address, "x");
      bench.receive(targets[i]);
    }
    REQUIRE(bench.worker().open_sessions() == 2);
  };
  open_both();
  bench.worker().close_sessions(shared::CloseScope::target, 1, CloseReason::closed_by_operator);
  CHECK(bench.closed(CloseReason::closed_by_operator, 0) == 0);
  CHECK(bench.closed(CloseReason::closed_by_operator, 1) == 1);
  open_both();
  bench.worker().close_sessions(shared::CloseScope::listener, 0, CloseReason::closed_by_operator);
  CHECK(bench.closed(CloseReason::closed_by_operator, 0) == 1);
  CHECK(bench.active(0) == 0);
  CHECK(bench.active(1) == 1);
  open_both();
  bench.stop();
  CHECK(bench.closed(CloseReason::shutdown, 0) == 1);
  CHECK(bench.closed(CloseReason::shutdown, 1) == 1);
  CHECK(bench.active(0) + bench.active(1) == 0);
}

TEST_CASE("close_sessions with a lot ends about the share that it names") {
  UdpBench bench;
  UdpPeer target(v4(0));
  const Sockets bind = bind_udp(v4(0));
  bench.adopt(simple_table(bind, {target.address()}));
  std::vector<std::unique_ptr<UdpPeer>> clients;
  for (int i = 0; i < 200; i++) {
    clients.push_back(std::make_unique<UdpPeer>(v4(0)));
    clients.back()->send(bind->address, "x");
    bench.receive(target);
  }
  REQUIRE(bench.worker().open_sessions() == 200);
  policy::Cursor cursor = policy::seeded_cursor(7);
  bench.worker().close_sessions(shared::CloseScope::target, 0, CloseReason::closed_by_operator,
                                policy::Lot(cursor, 4));
  const uint64_t ended = bench.closed(CloseReason::closed_by_operator, 0);
  // Five standard deviations of a binomial distribution of 200 and 1/4, about 50.
  CHECK(ended >= 20);
  CHECK(ended <= 80);
  CHECK(bench.target(0).closed_by_operator == ended);
  bench.worker().close_sessions(shared::CloseScope::target, 0, CloseReason::closed_by_operator,
                                policy::Lot(cursor, 1));
  CHECK(bench.worker().open_sessions() == 0);
}

}  // namespace
}  // namespace sluice::test
