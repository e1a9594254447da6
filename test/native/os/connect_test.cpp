// Connecting, accepting and socket options: outcomes and whose fault they are.
#include "os/connect.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/tcp.h>  // with tcpi_segs_out, which netinet/tcp.h lacks
#include <sys/resource.h>

#include <vector>

#include "os/accept.h"
#include "os/sys.h"
#include "support/loopback.h"
#include "support/network_namespace.h"

using namespace sluice;
using namespace sluice::test;
using os::AcceptStatus;
using os::ConnectFault;
using os::ConnectState;

namespace {

os::ConnectOutcome settle(const os::ConnectStart& start) {
  if (start.outcome.state != ConnectState::in_progress) return start.outcome;
  CHECK(wait_for(start.fd.get(), POLLOUT) != 0);
  return os::connect_result(start.fd.get());
}

uint32_t option_of(int fd, int level, int option) {
  uint32_t value = 0;
  socklen_t bytes = sizeof(value);
  REQUIRE(::getsockopt(fd, level, option, &value, &bytes) == 0);
  return value;
}

// No descriptor is left while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    rlimit now = before_;
    const os::Fd lowest(::dup(0));
    now.rlim_cur = static_cast<rlim_t>(lowest.get());
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_ = {};
};

}  // namespace

TEST_CASE("the handshake's last ACK waits for data that follows, and is sent at once otherwise") {
  os::Listeners listener = os::open_listeners(v4(0), 1, {});
  const auto segments_sent = [](int fd) {
    tcp_info info{};
    socklen_t bytes = sizeof(info);
    REQUIRE(::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0);
    return info.tcpi_segs_out;
  };
  const std::byte hello[] = {std::byte{'h'}};
  for (const bool data_follows : {false, true}) {
    // On loopback the whole handshake is over before connect() returns.
    os::ConnectStart start =
        os::connect_start(listener.bound, nullptr, {.data_follows = data_follows});
    REQUIRE(settle(start).state == ConnectState::connected);
    CHECK(segments_sent(start.fd.get()) == (data_follows ? 1 : 2));
    REQUIRE(os::RealSys::send(start.fd.get(), hello).done());
    CHECK(segments_sent(start.fd.get()) == (data_follows ? 2 : 3));
  }
}

TEST_CASE("connecting to a listener succeeds, to a closed port is refused") {
  os::Listeners listener = os::open_listeners(v4(0), 1, {});
  os::ConnectStart start = os::connect_start(listener.bound, nullptr, {});
  CHECK(settle(start).state == ConnectState::connected);
  CHECK(os::remote_address(start.fd.get()) == listener.bound);
  listener.sockets.clear();
  const os::ConnectOutcome refused = settle(os::connect_start(listener.bound, nullptr, {}));
  CHECK(refused.state == ConnectState::failed);
  CHECK(refused.fault == ConnectFault::refused);
  CHECK(refused.error == ECONNREFUSED);
}

TEST_CASE("a unix target connects, and one that is absent or dead is refused") {
  const os::Address name = test::own_unix("connect");
  os::Listeners listener = os::open_listeners(name, 1, {});
  CHECK(settle(os::connect_start(name, nullptr, {})).state == ConnectState::connected);
  listener.sockets.clear();
  CHECK(settle(os::connect_start(name, nullptr, {})).fault == ConnectFault::refused);
  const auto absent = os::Address::unix_path("/nonexistent/sluice");
  CHECK(settle(os::connect_start(*absent, nullptr, {})).fault == ConnectFault::refused);
}

TEST_CASE("a unix target whose queue is full is refused, not waited for") {
  const os::Address name = test::own_unix("full");
  os::ListenOptions options;
  options.backlog = 1;
  const os::Listeners listener = os::open_listeners(name, 1, options);
  std::vector<os::ConnectStart> waiting;
  for (int i = 0; i < 10; i++) waiting.push_back(os::connect_start(name, nullptr, {}));
  CHECK(waiting.front().outcome.state == ConnectState::connected);
  CHECK(waiting.back().outcome.state == ConnectState::failed);
  CHECK(waiting.back().outcome.fault == ConnectFault::refused);
  CHECK(!waiting.back().fd.valid());
}

TEST_CASE("no errno of ours is held against a target, and no network error against us") {
  for (const int error : {EADDRNOTAVAIL, EADDRINUSE, EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EPERM,
                          EAGAIN, EAFNOSUPPORT}) {
    CAPTURE(error);
    CHECK(os::classify_connect_error(error) == ConnectFault::local);
  }
  for (const int error : {ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN}) {
    CHECK(os::classify_connect_error(error) == ConnectFault::unreachable);
  }
  CHECK(os::classify_connect_error(0) == ConnectFault::none);
  CHECK(os::classify_connect_error(ECONNREFUSED) == ConnectFault::refused);
  CHECK(os::classify_connect_error(ETIMEDOUT) == ConnectFault::timed_out);
  CHECK(os::classify_connect_error(ECONNRESET) == ConnectFault::reset);
  CHECK(os::classify_connect_error(EINVAL) == ConnectFault::other);
}

TEST_CASE("a source address that is not ours, or a lack of descriptors, is a local failure") {
  const uint8_t documentation[4] = {192, 0, 2, 1};
  const os::Address foreign = os::Address::ipv4(documentation, 0);
  const os::Listeners listener = os::open_listeners(v4(0), 1, {});
  const os::ConnectStart start = os::connect_start(listener.bound, &foreign, {});
  CHECK(start.outcome.fault == ConnectFault::local);
  CHECK(start.outcome.error == EADDRNOTAVAIL);
  CHECK(os::connect_udp(listener.bound, &foreign, {}).outcome.fault == ConnectFault::local);
  const NoDescriptors none;
  CHECK(os::connect_start(listener.bound, nullptr, {}).outcome.fault == ConnectFault::local);
  CHECK(os::connect_udp(listener.bound, nullptr, {}).outcome.error == EMFILE);
}

TEST_CASE("with a source address each target has the whole port range to itself") {
  in_network_namespace([] {
    constexpr size_t kPorts = 10;
    constexpr size_t kTargets = 3;
    write_sysctl("/proc/sys/net/ipv4/ip_local_port_range", "40000 40009");
    std::vector<os::Listeners> targets;
    for (uint8_t i = 0; i < kTargets; i++) {
      targets.push_back(os::open_listeners(v4(8000, static_cast<uint8_t>(2 + i)), 1, {}));
      CHECK(targets.back().ok());
    }
    const os::Address source = v4(0, 99);
    std::vector<os::Fd> held;
    for (const os::Listeners& target : targets) {
      for (size_t i = 0; i < kPorts; i++) {
        os::ConnectStart start = os::connect_start(target.bound, &source, {});
        CHECK(settle(start).state == ConnectState::connected);
        CHECK(os::local_address(start.fd.get()).port() >= 40000);
        held.push_back(std::move(start.fd));
      }
      // And only then it is exhausted, which is our trouble and not the target's.
      const os::ConnectOutcome outcome = settle(os::connect_start(target.bound, &source, {}));
      CHECK(outcome.error == EADDRNOTAVAIL);
      CHECK(outcome.fault == ConnectFault::local);
    }
    CHECK(held.size() == kPorts * kTargets);
    const uint8_t documentation[4] = {192, 0, 2, 1};
    const os::Address nowhere = os::Address::ipv4(documentation, 80);
    CHECK(settle(os::connect_start(nowhere, nullptr, {})).fault == ConnectFault::unreachable);
  });
}

TEST_CASE("options hold on connecting sockets, and on all that a listener accepts") {
  os::TcpOptions options;
  options.nodelay = true;
  options.user_timeout_ms = 12'000;
  options.keepalive_idle_s = 30;
  options.keepalive_interval_s = 5;
  options.keepalive_count = 4;
  const os::Listeners listener = os::open_listeners(v4(0), 1, {});
  REQUIRE(os::set_tcp_options(listener.sockets[0].get(), options).done());
  const os::ConnectStart start = os::connect_start(listener.bound, nullptr, options);
  REQUIRE(settle(start).state == ConnectState::connected);
  const os::Fd accepted = accept_from(listener.sockets[0].get());
  for (const int fd : {start.fd.get(), accepted.get()}) {
    CHECK(option_of(fd, IPPROTO_TCP, TCP_NODELAY) != 0);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 12'000);
    CHECK(option_of(fd, SOL_SOCKET, SO_KEEPALIVE) != 0);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 30);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 5);
    CHECK(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT) == 4);
  }
  os::TcpOptions off;
  off.nodelay = false;
  REQUIRE(os::set_tcp_options(accepted.get(), off).done());
  CHECK(option_of(accepted.get(), IPPROTO_TCP, TCP_NODELAY) == 0);
  CHECK(option_of(accepted.get(), SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK(os::set_tcp_options(-1, options).error == EBADF);
}

TEST_CASE("aborting is a reset for the other end, although it has read everything") {
  TcpPair pair = tcp_pair();
  os::abort_connection(std::move(pair.near));
  REQUIRE((wait_for(pair.far.get(), POLLIN) & POLLERR) != 0);
  CHECK(os::take_error(pair.far.get()) == ECONNRESET);
  CHECK(os::take_error(pair.far.get()) == 0);
}

TEST_CASE("an accepted socket does not block and knows its client") {
  const os::Listeners listener = os::open_listeners(any_v6(0), 1, {});
  CHECK(os::accept_connection(listener.sockets[0].get()).status == AcceptStatus::would_block);
  const os::Fd client = connect_to(v4(listener.bound.port()));
  REQUIRE(wait_for(listener.sockets[0].get(), POLLIN) != 0);
  const os::AcceptResult accepted = os::accept_connection(listener.sockets[0].get());
  REQUIRE(accepted.status == AcceptStatus::accepted);
  const os::Address local = os::local_address(client.get());
  CHECK(accepted.client == os::ClientAddress::from(local.get(), local.bytes()));
  CHECK(accepted.client.family == AF_INET);
  CHECK((::fcntl(accepted.fd.get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((::fcntl(accepted.fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(os::accept_connection(client.get()).status == AcceptStatus::failed);
}

TEST_CASE("a client that gave up before it was accepted does no harm") {
  const os::Listeners listener = os::open_listeners(v4(0), 1, {});
  os::abort_connection(connect_to(listener.bound));
  const os::Fd second = connect_to(listener.bound);
  size_t accepted = 0;
  for (int i = 0; i < 3; i++) {
    const os::AcceptResult result = os::accept_connection(listener.sockets[0].get());
    CHECK(result.status != AcceptStatus::failed);
    if (result.status == AcceptStatus::accepted) accepted++;
  }
  CHECK(accepted >= 1);
}

TEST_CASE("without a descriptor accept says so, and the reserve turns a waiting client away") {
  const os::Listeners listener = os::open_listeners(v4(0), 1, {});
  const int fd = listener.sockets[0].get();
  const os::Fd client = connect_to(listener.bound);
  REQUIRE(wait_for(fd, POLLIN) != 0);
  os::ReserveDescriptor reserve;
  REQUIRE(reserve.held());
  {
    const NoDescriptors none;
    CHECK(os::accept_connection(fd).status == AcceptStatus::out_of_descriptors);
    CHECK(reserve.refuse_one(fd));
    CHECK(reserve.held());
    CHECK(!reserve.refuse_one(fd));  // nobody waits any more
    CHECK(reserve.held());
    CHECK(os::accept_connection(fd).status == AcceptStatus::out_of_descriptors);
  }
  CHECK((wait_for(client.get(), POLLIN) & POLLERR) != 0);
  CHECK(os::take_error(client.get()) == ECONNRESET);
  const os::Fd next = connect_to(listener.bound);
  CHECK(accept_from(fd).valid());
}

TEST_CASE("a UDP socket towards a closed port is told so, once its error queue is drained") {
  os::ListenOptions udp;
  udp.transport = os::Transport::udp;
  os::Listeners gone = os::open_listeners(v4(0), 1, udp);
  gone.sockets.clear();
  const std::byte payload[1] = {};
  std::byte buffer[16];
  for (const bool all : {false, true}) {
    os::UdpConnectOptions options;
    options.all_icmp_errors = all;
    const os::ConnectStart start = os::connect_udp(gone.bound, nullptr, options);
    REQUIRE(start.outcome.state == ConnectState::connected);
    REQUIRE(os::RealSys::send(start.fd.get(), payload).done());
    REQUIRE((wait_for(start.fd.get(), POLLIN) & POLLERR) != 0);
    CHECK(os::RealSys::recv(start.fd.get(), buffer).error == ECONNREFUSED);
    CHECK(os::drain_error_queue(start.fd.get()) == (all ? ECONNREFUSED : 0));
    CHECK(os::drain_error_queue(start.fd.get()) == 0);
    pollfd entry{start.fd.get(), POLLIN, 0};
    CHECK(::poll(&entry, 1, 0) == 0);
  }
}
