// Addresses, pairs and waits for tests over the loopback interface.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

#include "os/accept.h"
#include "os/address.h"
#include "os/connect.h"
#include "os/fd.h"
#include "os/listen.h"
#include "os/socket.h"

namespace sluice::test {

inline os::Address v4(uint16_t port, uint8_t last = 1) {
  const uint8_t ip[4] = {127, 0, 0, last};
  return os::Address::ipv4(ip, port);
}
inline os::Address any_v4(uint16_t port) {
  const uint8_t ip[4] = {};
  return os::Address::ipv4(ip, port);
}
inline os::Address v6(uint16_t port) {
  const uint8_t ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return os::Address::ipv6(ip, port, 0);
}
inline os::Address any_v6(uint16_t port) {
  const uint8_t ip[16] = {};
  return os::Address::ipv6(ip, port, 0);
}

// An abstract unix name that no other run of these tests has.
inline os::Address own_unix(const std::string& name) {
  return *os::Address::unix_path("@sluice-test-" + std::to_string(::getpid()) + "-" + name);
}

// Waits until one of `events` (or an error) is there. Five seconds are a failed test.
inline short wait_for(int fd, short events) {
  pollfd entry{fd, events, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, 5000);
  } while (ready < 0 && errno == EINTR);
  return ready == 1 ? entry.revents : short{0};
}

inline os::Fd connect_to(const os::Address& target, const os::Address* source = nullptr) {
  os::ConnectStart start = os::connect_start(target, source, {});
  if (start.outcome.state == os::ConnectState::in_progress) {
    REQUIRE(wait_for(start.fd.get(), POLLOUT) != 0);
    REQUIRE(os::connect_result(start.fd.get()).state == os::ConnectState::connected);
  } else {
    REQUIRE(start.outcome.state == os::ConnectState::connected);
  }
  return std::move(start.fd);
}

inline os::Fd accept_from(int listener_fd) {
  REQUIRE((wait_for(listener_fd, POLLIN) & POLLIN) != 0);
  os::AcceptResult result = os::accept_connection(listener_fd);
  REQUIRE(result.status == os::AcceptStatus::accepted);
  return std::move(result.fd);
}

// Two connected TCP sockets, both non-blocking.
struct TcpPair {
  os::Fd near;
  os::Fd far;
};
inline TcpPair tcp_pair() {
  os::Listeners listener = os::open_listeners(v4(0), 1, {});
  REQUIRE(listener.ok());
  os::Fd near = connect_to(listener.bound);
  return {std::move(near), accept_from(listener.sockets[0].get())};
}

}  // namespace sluice::test
