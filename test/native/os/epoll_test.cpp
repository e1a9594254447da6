// Epoll, its tokens, the doorbell and the clocks.
#include "os/epoll.h"

#include <doctest/doctest.h>

#include <array>
#include <thread>

#include "os/clock.h"
#include "os/doorbell.h"
#include "os/sys.h"
#include "support/loopback.h"

using namespace sluice;
using os::Epoll;
using os::EpollToken;

TEST_CASE("a token carries an object and its kind") {
  uint64_t object = 0;
  for (uint8_t kind = 0; kind < 8; kind++) {
    const EpollToken token = EpollToken::of(&object, kind);
    CHECK(token.kind() == kind);
    CHECK(token.object<uint64_t>() == &object);
  }
}

TEST_CASE("a socket registered once, edge-triggered, tells each news once") {
  Epoll epoll = Epoll::create();
  REQUIRE(epoll.valid());
  test::TcpPair pair = test::tcp_pair();
  uint64_t object = 0;
  const EpollToken token = EpollToken::of(&object, 2);
  REQUIRE(epoll.add(pair.far.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, token).done());
  CHECK(epoll.add(pair.far.get(), EPOLLIN, token).error == EEXIST);
  std::array<epoll_event, 4> events;
  auto ready = epoll.wait(events, 5000);
  REQUIRE(ready.size() == 1);
  CHECK(ready[0].events == EPOLLOUT);
  CHECK(Epoll::token(ready[0]).bits == token.bits);
  CHECK(epoll.wait(events, 0).empty());
  const std::byte payload[1] = {};
  REQUIRE(os::RealSys::send(pair.near.get(), payload).done());
  ready = epoll.wait(events, 5000);
  REQUIRE(ready.size() == 1);
  CHECK((ready[0].events & EPOLLIN) != 0);
  CHECK(epoll.wait(events, 0).empty());  // unread, and told already
  REQUIRE(epoll.modify(pair.far.get(), EPOLLIN, token).done());
  CHECK(epoll.wait(events, 0).size() == 1);
  REQUIRE(epoll.remove(pair.far.get()).done());
  CHECK(epoll.wait(events, 0).empty());
  CHECK(epoll.remove(pair.far.get()).error == ENOENT);
}

TEST_CASE("a doorbell wakes from another thread, and many rings are answered as one") {
  Epoll epoll = Epoll::create();
  const os::Doorbell bell = os::Doorbell::create();
  REQUIRE(bell.valid());
  REQUIRE(epoll.add(bell.fd(), EPOLLIN, {}).done());
  std::array<epoll_event, 4> events;
  CHECK(epoll.wait(events, 0).empty());
  std::thread ringer([&bell] {
    for (int i = 0; i < 100; i++) bell.ring();
  });
  CHECK(epoll.wait(events, 5000).size() == 1);
  ringer.join();
  bell.answer();
  CHECK(epoll.wait(events, 0).empty());
  bell.answer();  // without a ring: does not block
}

TEST_CASE("the monotonic clock does not go back, and the wall clock is in milliseconds") {
  uint64_t last = os::monotonic_ns();
  for (int i = 0; i < 1000; i++) {
    const uint64_t now = os::monotonic_ns();
    CHECK(now >= last);
    last = now;
  }
  CHECK(os::wall_clock_ms() > 1'600'000'000'000U);
  CHECK(os::wall_clock_ms() < 10'000'000'000'000U);
}
