// Listening sockets: exclusive although shared by the workers, and spread over all of them.
#include "os/listen.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "os/sys.h"
#include "support/loopback.h"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr uint32_t kWorkers = 4;

os::ListenOptions udp() {
  os::ListenOptions options;
  options.transport = os::Transport::udp;
  return options;
}

os::ListenOptions with(os::Transport transport) {
  os::ListenOptions options;
  options.transport = transport;
  return options;
}

size_t accept_all(int listener_fd) {
  size_t accepted = 0;
  while (os::accept_connection(listener_fd).status == os::AcceptStatus::accepted) accepted++;
  return accepted;
}

size_t receive_all(int fd) {
  size_t received = 0;
  std::byte buffer[64];
  while (os::RealSys::recv(fd, buffer).done()) received++;
  return received;
}

// A directory of its own for each test, removed with what is in it.
struct ScratchDirectory {
  std::string path;
  ScratchDirectory() {
    char name[] = "/tmp/sluice-listen-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~ScratchDirectory() {
    ::unlink((path + "/s").c_str());
    ::rmdir(path.c_str());
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
};

}  // namespace

TEST_CASE("TCP connections reach every socket of a group, and each exactly once") {
  for (const os::Address& address : {v4(0), v6(0), any_v4(0), any_v6(0)}) {
    CAPTURE(address.text());
    const os::Listeners group = os::open_listeners(address, kWorkers, {});
    REQUIRE(group.error == 0);
    REQUIRE(group.sockets.size() == kWorkers);
    REQUIRE(group.bound.port() != 0);
    for (const os::Fd& fd : group.sockets) CHECK(os::local_address(fd.get()) == group.bound);
    const bool over_v6 = address == v6(0) || address == any_v6(0);
    const os::Address target = over_v6 ? v6(group.bound.port()) : v4(group.bound.port());
    constexpr size_t kConnections = 400;
    std::vector<os::Fd> clients;
    for (size_t i = 0; i < kConnections; i++) clients.push_back(connect_to(target));
    size_t total = 0;
    for (const os::Fd& fd : group.sockets) {
      const size_t accepted = accept_all(fd.get());
      // 400 over 4: a share below 50 has a probability of less than one in 10^9.
      CHECK(accepted >= 50);
      total += accepted;
    }
    CHECK(total == kConnections);
  }
}

TEST_CASE("datagrams of many clients reach every socket of a group, each client always the same") {
  for (const os::Address& address : {v4(0), v6(0), any_v6(0)}) {
    CAPTURE(address.text());
    const os::Listeners group = os::open_listeners(address, kWorkers, udp());
    REQUIRE(group.error == 0);
    const os::Address target = address == v4(0) ? v4(group.bound.port()) : v6(group.bound.port());
    constexpr size_t kClients = 200;
    constexpr size_t kPerClient = 3;
    const std::byte payload[1] = {};
    std::vector<os::Fd> clients;
    for (size_t i = 0; i < kClients; i++) {
      os::ConnectStart client = os::connect_udp(target, nullptr, {});
      REQUIRE(client.outcome.state == os::ConnectState::connected);
      for (size_t n = 0; n < kPerClient; n++) {
        REQUIRE(os::RealSys::send(client.fd.get(), payload).done());
      }
      clients.push_back(std::move(client.fd));
    }
    size_t total = 0;
    for (const os::Fd& fd : group.sockets) {
      const size_t received = receive_all(fd.get());
      CHECK(received >= kPerClient * 15);
      CHECK(received % kPerClient == 0);
      total += received;
    }
    CHECK(total == kClients * kPerClient);
  }
}

TEST_CASE("a second group on the same or an overlapping address is refused") {
  struct Overlap {
    os::Address held;
    os::Address wanted;
  };
  const Overlap overlaps[] = {
      {v4(0), v4(0)},     {v6(0), v6(0)},         {any_v4(0), any_v4(0)}, {any_v6(0), any_v6(0)},
      {v4(0), any_v4(0)}, {any_v4(0), v4(0)},     {v4(0), any_v6(0)},     {any_v6(0), v4(0)},
      {v6(0), any_v6(0)}, {any_v4(0), any_v6(0)}, {any_v6(0), any_v4(0)},
  };
  for (const os::Transport transport : {os::Transport::tcp, os::Transport::udp}) {
    for (const Overlap& overlap : overlaps) {
      for (const uint32_t held_count : {1U, 3U}) {
        for (const uint32_t wanted_count : {1U, 3U}) {
          const os::Listeners held = os::open_listeners(overlap.held, held_count, with(transport));
          REQUIRE(held.error == 0);
          os::Address wanted = overlap.wanted;
          wanted.set_port(held.bound.port());
          CAPTURE(held.bound.text());
          CAPTURE(wanted.text());
          const os::Listeners second = os::open_listeners(wanted, wanted_count, with(transport));
          CHECK(second.error == EADDRINUSE);
          CHECK(second.sockets.empty());
        }
      }
    }
  }
}

TEST_CASE("two TCP sockets bound but not yet listening cannot both become the listener") {
  // The state in which a second sluice may be between its bind and its listen.
  os::Fd rival(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  REQUIRE(::setsockopt(rival.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
  const os::Address any_port = v4(0);
  REQUIRE(::bind(rival.get(), any_port.get(), any_port.bytes()) == 0);
  const os::Address address = os::local_address(rival.get());
  const os::Listeners group = os::open_listeners(address, kWorkers, {});
  REQUIRE(group.error == 0);
  CHECK(::listen(rival.get(), 1) != 0);
  CHECK(errno == EADDRINUSE);
}

TEST_CASE("addresses that do not overlap are both granted") {
  const os::Listeners first = os::open_listeners(v4(0), 2, {});
  REQUIRE(first.ok());
  CHECK(os::open_listeners(v4(first.bound.port(), 2), 2, {}).error == 0);
  CHECK(os::open_listeners(v6(first.bound.port()), 2, {}).error == 0);
  os::ListenOptions v6_only;
  v6_only.ipv6_only = true;
  CHECK(os::open_listeners(any_v6(first.bound.port()), 2, v6_only).error == 0);
  const os::Listeners wildcard = os::open_listeners(any_v4(0), 2, {});
  REQUIRE(wildcard.ok());
  CHECK(os::open_listeners(any_v6(wildcard.bound.port()), 2, v6_only).error == 0);
}

TEST_CASE("a plain listener of another program is refused and refuses") {
  os::Fd other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const os::Address any_port = v4(0);
  REQUIRE(::bind(other.get(), any_port.get(), any_port.bytes()) == 0);
  REQUIRE(::listen(other.get(), 1) == 0);
  CHECK(os::open_listeners(os::local_address(other.get()), 2, {}).error == EADDRINUSE);

  const os::Listeners ours = os::open_listeners(v4(0), 2, {});
  os::Fd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(::bind(late.get(), ours.bound.get(), ours.bound.bytes()) != 0);
  CHECK(errno == EADDRINUSE);
}

TEST_CASE("an address is free again right after closing, connections in TIME_WAIT or not") {
  os::Address address = v4(0);
  for (int round = 0; round < 3; round++) {
    os::Listeners group = os::open_listeners(address, kWorkers, {});
    REQUIRE(group.error == 0);
    address = group.bound;
    os::Fd client = connect_to(address);
    std::vector<pollfd> waits;
    for (const os::Fd& fd : group.sockets) waits.push_back({fd.get(), POLLIN, 0});
    REQUIRE(::poll(waits.data(), waits.size(), 5000) == 1);
    for (const pollfd& entry : waits) {
      if ((entry.revents & POLLIN) == 0) continue;
      // The listener's side closes first: TIME_WAIT is its own.
      os::Fd accepted = accept_from(entry.fd);
      accepted.reset();
      REQUIRE((wait_for(client.get(), POLLIN) & POLLIN) != 0);
      client.reset();
    }
  }
}

TEST_CASE("a wildcard IPv6 listener takes IPv4 clients unless it is IPv6 only") {
  for (const bool ipv6_only : {false, true}) {
    os::ListenOptions options;
    options.ipv6_only = ipv6_only;
    const os::Listeners group = os::open_listeners(any_v6(0), 1, options);
    REQUIRE(group.ok());
    connect_to(v6(group.bound.port()));
    os::ConnectStart client = os::connect_start(v4(group.bound.port()), nullptr, {});
    if (client.outcome.state == os::ConnectState::in_progress) {
      REQUIRE(wait_for(client.fd.get(), POLLOUT) != 0);
      client.outcome = os::connect_result(client.fd.get());
    }
    CHECK(client.outcome.state ==
          (ipv6_only ? os::ConnectState::failed : os::ConnectState::connected));
    CHECK(accept_all(group.sockets[0].get()) == (ipv6_only ? 1 : 2));
  }
}

TEST_CASE("a dual-stack UDP socket tells an IPv4 client's destination and answers from it") {
  const os::Listeners group = os::open_listeners(any_v6(0), 2, udp());
  REQUIRE(group.ok());
  const os::Address target = v4(group.bound.port(), 77);  // 127.0.0.77: not what would be chosen
  os::ConnectStart client = os::connect_udp(target, nullptr, {});
  REQUIRE(client.outcome.state == os::ConnectState::connected);
  const std::byte payload[3] = {};
  REQUIRE(os::RealSys::send(client.fd.get(), payload).done());
  std::vector<pollfd> waits;
  for (const os::Fd& fd : group.sockets) waits.push_back({fd.get(), POLLIN, 0});
  REQUIRE(::poll(waits.data(), waits.size(), 5000) == 1);
  const int fd = (waits[0].revents & POLLIN) != 0 ? waits[0].fd : waits[1].fd;

  std::byte buffer[64];
  iovec vector{buffer, sizeof(buffer)};
  alignas(cmsghdr) char control[256];
  sockaddr_in6 from{};
  mmsghdr message{};
  message.msg_hdr.msg_name = &from;
  message.msg_hdr.msg_namelen = sizeof(from);
  message.msg_hdr.msg_iov = &vector;
  message.msg_hdr.msg_iovlen = 1;
  message.msg_hdr.msg_control = control;
  message.msg_hdr.msg_controllen = sizeof(control);
  REQUIRE(os::RealSys::recvmmsg(fd, {&message, 1}).bytes == 1);
  const cmsghdr* part = CMSG_FIRSTHDR(&message.msg_hdr);
  REQUIRE(part != nullptr);
  REQUIRE(part->cmsg_level == IPPROTO_IPV6);
  REQUIRE(part->cmsg_type == IPV6_PKTINFO);
  in6_pktinfo info{};
  std::memcpy(&info, CMSG_DATA(part), sizeof(info));
  CHECK(IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr));
  CHECK(info.ipi6_addr.s6_addr[15] == 77);

  // The very control message goes back with the answer.
  vector.iov_len = 2;
  REQUIRE(os::RealSys::sendmmsg(fd, {&message, 1}).bytes == 1);
  REQUIRE((wait_for(client.fd.get(), POLLIN) & POLLIN) != 0);
  // The client's socket is connected: it would not have taken an answer from elsewhere.
  CHECK(os::RealSys::recv(client.fd.get(), buffer).bytes == 2);
}

TEST_CASE("a unix socket is shared by the workers and gets the permissions asked for") {
  const ScratchDirectory directory;
  const std::string path = directory.path + "/s";
  const auto address = os::Address::unix_path(path);
  REQUIRE(address.has_value());
  os::ListenOptions options;
  options.unix_mode = 0620;
  os::Listeners group = os::open_listeners(*address, 3, options);
  REQUIRE(group.error == 0);
  CHECK(group.sockets.size() == 3);
  CHECK(group.unix_path == path);
  CHECK(group.bound.text() == "unix:" + path);
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0620);
  for (const os::Fd& fd : group.sockets) {
    const os::Fd client = connect_to(*address);
    const os::AcceptResult accepted = os::accept_connection(fd.get());
    CHECK(accepted.status == os::AcceptStatus::accepted);
    CHECK(accepted.client.family == AF_UNIX);
  }
  CHECK(os::open_listeners(*address, 1, options).error == EADDRINUSE);
  os::remove_socket_file(path);  // still alive: stays
  CHECK(::stat(path.c_str(), &status) == 0);
  group.sockets.clear();
  os::remove_socket_file(path);
  CHECK(::stat(path.c_str(), &status) != 0);
}

TEST_CASE("a dead unix socket file is replaced, any other file is left alone") {
  const ScratchDirectory directory;
  const std::string path = directory.path + "/s";
  const auto address = os::Address::unix_path(path);
  {
    const os::Listeners crashed = os::open_listeners(*address, 1, {});
  }
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);  // its owner did not remove it
  CHECK(os::open_listeners(*address, 2, {}).error == 0);
  os::remove_socket_file(path);

  os::Fd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  REQUIRE(file.valid());
  CHECK(os::open_listeners(*address, 1, {}).error == ENOTSOCK);
  os::remove_socket_file(path);
  CHECK(::stat(path.c_str(), &status) == 0);
}

TEST_CASE("an abstract unix name works and is exclusive") {
  const os::Address address = test::own_unix("listen");
  const os::Listeners group = os::open_listeners(address, 2, {});
  REQUIRE(group.error == 0);
  CHECK(group.unix_path.empty());
  connect_to(address);
  CHECK(os::open_listeners(address, 1, {}).error == EADDRINUSE);
}

TEST_CASE("an address that is not ours, a bad count and a unix datagram listener are refused") {
  const uint8_t documentation[4] = {192, 0, 2, 1};
  CHECK(os::open_listeners(os::Address::ipv4(documentation, 0), 2, {}).error == EADDRNOTAVAIL);
  CHECK(os::open_listeners(v4(0), 0, {}).error == EINVAL);
  CHECK(os::open_listeners(*os::Address::unix_path("@x"), 1, udp()).error == EPROTONOSUPPORT);
  CHECK(os::open_listeners(os::Address(), 1, {}).error == EAFNOSUPPORT);
}

TEST_CASE("a group of this process is let in beside another of its own when asked to be") {
  const os::Listeners wildcard = os::open_listeners(any_v4(0), 1, {});
  REQUIRE(wildcard.ok());
  os::ListenOptions beside;
  beside.beside_own = true;
  const os::Address address = v4(wildcard.bound.port());
  // A single socket is not in a group yet: first it must admit others.
  CHECK(os::open_listeners(address, 2, beside).error == EADDRINUSE);
  os::admit_own(wildcard.sockets[0].get());
  CHECK(os::open_listeners(address, 2, {}).error == EADDRINUSE);
  const os::Listeners specific = os::open_listeners(address, 2, beside);
  REQUIRE(specific.error == 0);
  // The more specific address wins every client from now on.
  for (int i = 0; i < 20; i++) connect_to(address);
  CHECK(accept_all(wildcard.sockets[0].get()) == 0);
  CHECK(accept_all(specific.sockets[0].get()) + accept_all(specific.sockets[1].get()) == 20);
}

TEST_CASE("a listener taken out of service leaves its clients to the others of its group") {
  const os::Listeners group = os::open_listeners(v4(0), 2, {});
  REQUIRE(group.ok());
  os::stop_listening(group.sockets[0].get());
  for (int i = 0; i < 20; i++) connect_to(group.bound);
  CHECK(accept_all(group.sockets[1].get()) == 20);
  os::stop_listening(group.sockets[1].get());
  const os::ConnectStart refused = os::connect_start(group.bound, nullptr, {});
  REQUIRE(refused.outcome.state == os::ConnectState::in_progress);
  REQUIRE(wait_for(refused.fd.get(), POLLOUT) != 0);
  CHECK(os::connect_result(refused.fd.get()).fault == os::ConnectFault::refused);
  os::stop_listening(group.sockets[1].get());  // again: nothing happens
}

TEST_CASE("the backlog of a listener can be changed while it listens") {
  os::ListenOptions options;
  options.backlog = 1;
  const os::Address name = test::own_unix("backlog");
  const os::Listeners listener = os::open_listeners(name, 1, options);
  const auto waiting_max = [&] {
    std::vector<os::ConnectStart> clients;
    do {
      clients.push_back(os::connect_start(name, nullptr, {}));
    } while (clients.back().outcome.state == os::ConnectState::connected && clients.size() < 50);
    accept_all(listener.sockets[0].get());
    return clients.size() - 1;
  };
  CHECK(waiting_max() == 2);
  os::set_backlog(listener.sockets[0].get(), 7);
  CHECK(waiting_max() == 8);
}
