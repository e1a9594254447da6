// Bounds: connections per listener and per worker, descriptors, and listeners that come and go.
#include <dirent.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <random>
#include <thread>

#include "support/pace.h"
#include "support/peer.h"
#include "support/seed.h"
#include "support/tcp_loop.h"

namespace sluice::test {
namespace {

using shared::CloseReason;

constexpr uint32_t kUp = 1;
constexpr uint32_t kDown = 2;

struct Path {
  PeerListener target_listener;
  TableDraft draft;
  TcpLoop loop;
  std::vector<Peer> clients;

  explicit Path(uint32_t max_connections = 0,
                const shared::EngineOptions& options = TcpLoop::options())
      : loop(options) {
    draft.listen_on(v4(0));
    draft.targets = {target_listener.address()};
    draft.listener.max_connections = max_connections;
    loop.adopt(draft);
  }
  void connect(int count) {
    for (int i = 0; i < count; i++) clients.push_back(Peer::connect(draft.address()));
  }
  bool await_opened(uint64_t count) {
    return eventually([&] { return loop.opened() == count; });
  }
};

TEST_CASE("at max_connections clients wait in the backlog and are served when one ends") {
  Path path(2);
  path.connect(3);
  CHECK(path.await_opened(2));
  CHECK(eventually([&] { return path.loop.listener().accept_paused_limit.load() == 1; }));
  CHECK(path.clients[2].send(kUp, 500) == 500);
  const uint64_t turns = path.loop.turns();
  observe_for(std::chrono::milliseconds(400));
  CHECK(path.loop.turns() - turns < 60);
  CHECK(path.loop.opened() == 2);
  CHECK(path.loop.listener_active().load() == 2);

  Peer first = path.target_listener.accept();
  Peer second = path.target_listener.accept();
  path.clients[0].reset();
  CHECK(path.await_opened(3));
  Peer third = path.target_listener.accept();
  CHECK(third.receive(kUp, 500).bytes == 500);
  CHECK(path.loop.closed_by(CloseReason::limit) == 0);
}

TEST_CASE("a place freed by another worker is noticed") {
  Path path(2);
  path.loop.listener_active().fetch_add(2);  // as another worker counts its connections
  path.connect(1);
  CHECK(eventually([&] { return path.loop.listener().accept_paused_limit.load() == 1; }));
  CHECK(path.loop.opened() == 0);
  path.loop.listener_active().fetch_sub(2);
  CHECK(path.await_opened(1));
}

TEST_CASE("a raised limit takes effect with the table that brings it") {
  Path path(1);
  path.connect(3);
  CHECK(path.await_opened(1));
  CHECK(eventually([&] { return path.loop.listener().accept_paused_limit.load() == 1; }));
  path.draft.listener.max_connections = 0;
  path.loop.adopt(path.draft);
  CHECK(path.await_opened(3));
}

TEST_CASE("a worker at its own bound refuses with a reset") {
  shared::EngineOptions options = TcpLoop::options();
  options.connections_max = 1;
  Path path(0, options);
  path.draft.listener.access_log = true;
  path.loop.adopt(path.draft);
  path.connect(2);
  CHECK(path.await_opened(2));
  CHECK(path.clients[1].receive(kDown).ending == Ending::reset);
  CHECK(path.loop.closed_by(CloseReason::limit) == 1);
  CHECK(path.loop.open_connections() == 1);
  CHECK(path.loop.listener_active().load() == 1);
  const auto event = path.loop.next_event();
  REQUIRE(event.has_value());
  CHECK(event->code == static_cast<uint16_t>(CloseReason::limit));
}

// The lowest descriptors above all open ones, as many as `count`, are the last that can be had.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t count) {
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    // Holes below would be found first: fill them.
    const os::Fd highest(::fcntl(0, F_DUPFD_CLOEXEC, highest_open() + 1));
    for (;;) {
      os::Fd filler(::fcntl(0, F_DUPFD_CLOEXEC, 0));
      if (filler.get() > highest.get()) break;
      fillers_.push_back(std::move(filler));
    }
    rlimit lowered = before_;
    lowered.rlim_cur = static_cast<rlim_t>(highest.get()) + count;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  }
  ~DescriptorLimit() { lift(); }
  void lift() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  static int highest_open() {
    int highest = 0;
    DIR* directory = ::opendir("/proc/self/fd");
    while (const dirent* entry = ::readdir(directory)) {
      highest = std::max(highest, std::atoi(entry->d_name));
    }
    ::closedir(directory);
    return highest;
  }
  rlimit before_{};
  std::vector<os::Fd> fillers_;
};

// Pitfall 15, faults 15.
TEST_CASE("without descriptors accepting pauses, costs nothing, and resumes by itself") {
  Path path;
  std::promise<void> release;
  std::optional<DescriptorLimit> limit;
  // The loop stands still while the clients fill the backlog and the limit closes in.
  std::promise<void> held;
  std::thread holder([&] {
    path.loop.call([&](tcp::TcpWorker&) {
      held.set_value();
      release.get_future().wait();
    });
  });
  held.get_future().wait();
  path.connect(10);
  limit.emplace(5);
  release.set_value();
  holder.join();
  // Two connections fit, and half of a third.
  CHECK(eventually([&] { return path.loop.worker().accept_paused.load() == 1; }));
  const uint64_t turns = path.loop.turns();
  const uint64_t cpu_ns = path.loop.cpu_ns();
  observe_for(std::chrono::milliseconds(1000));
  CHECK(path.loop.turns() - turns < 60);
  CHECK(path.loop.cpu_ns() - cpu_ns < 50'000'000);
  CHECK(path.loop.worker().accept_paused.load() == 1);
  const uint64_t refused = path.loop.closed_by(CloseReason::local_error);
  CHECK(refused >= 1);
  // One more may be told by the reserve; the rest wait, though every look finds half a connection.
  CHECK(refused <= 2);
  CHECK(path.loop.closed() == refused);

  limit->lift();
  CHECK(path.await_opened(10));
  CHECK(eventually([&] {
    return path.loop.open_connections() == 10 - path.loop.closed_by(CloseReason::local_error);
  }));
  uint64_t paused_events = 0;
  while (const auto event = path.loop.next_event()) {
    if (event->type == static_cast<uint16_t>(shared::EventType::accept_paused)) paused_events++;
  }
  CHECK(paused_events == 1);
}

// Pitfall 11, one worker's part of it.
TEST_CASE("a listener that leaves the table serves everybody who waits in its queue") {
  Path path;
  std::unique_ptr<table::Table> next;
  TableDraft without = path.draft;
  without.sockets = nullptr;
  next = without.build();
  path.connect(1);
  CHECK(path.await_opened(1));
  // Queued and dropped in one go: no turn of the loop comes between.
  path.loop.call([&](tcp::TcpWorker& worker) {
    path.connect(100);
    worker.adopt(*next);
  });
  CHECK(path.loop.opened() == 101);
  std::vector<Peer> targets;
  for (int i = 0; i < 101; i++) targets.push_back(path.target_listener.accept());
  for (Peer& client : path.clients) CHECK(client.send(kUp, 100) == 100);
  uint64_t got = 0;
  for (Peer& target : targets) got += target.receive(kUp, 100).bytes;
  CHECK(got == 10'100);
  const os::Fd late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const os::Address address = path.draft.address();
  CHECK(::connect(late.get(), address.get(), address.bytes()) == -1);
  CHECK(errno == ECONNREFUSED);
  path.loop.adopt(without);  // in place of the local table
}

TEST_CASE("sockets that move to another listener go on accepting for it") {
  Path path;
  path.connect(1);
  CHECK(path.await_opened(1));
  for (int i = 0; i < 20; i++) {
    path.draft.listener.idle_timeout_ms = static_cast<uint32_t>(1000 + i);
    path.loop.adopt(path.draft);
    path.connect(5);
  }
  CHECK(path.await_opened(101));
  CHECK(path.loop.closed() == 0);
}

// The socket of ours that talks to `remote` from `local`.
int socket_between(const os::Address& local, const os::Address& remote) {
  for (int fd = 0; fd < 4096; fd++) {
    if (os::remote_address(fd) == remote && os::local_address(fd) == local) return fd;
  }
  return -1;
}
int option_of(int fd, int level, int option) {
  int value = -1;
  socklen_t bytes = sizeof(value);
  REQUIRE(::getsockopt(fd, level, option, &value, &bytes) == 0);
  return value;
}

TEST_CASE("socket options hold on both sides, accepted sockets inherit them") {
  Path path;
  path.draft.listener.client_options = {.nodelay = true,
                                        .user_timeout_ms = 12'345,
                                        .keepalive_idle_s = 11,
                                        .keepalive_interval_s = 7,
                                        .keepalive_count = 3};
  path.draft.target_options = {.nodelay = true,
                               .user_timeout_ms = 23'456,
                               .keepalive_idle_s = 22,
                               .keepalive_interval_s = 8,
                               .keepalive_count = 4};
  path.loop.adopt(path.draft);
  path.connect(1);
  Peer target = path.target_listener.accept();
  const int client_side = socket_between(os::remote_address(path.clients[0].fd()),
                                         os::local_address(path.clients[0].fd()));
  const int target_side =
      socket_between(os::remote_address(target.fd()), os::local_address(target.fd()));
  REQUIRE(client_side >= 0);
  REQUIRE(target_side >= 0);
  CHECK(option_of(client_side, IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(option_of(client_side, IPPROTO_TCP, TCP_USER_TIMEOUT) == 12'345);
  CHECK(option_of(client_side, SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option_of(client_side, IPPROTO_TCP, TCP_KEEPIDLE) == 11);
  CHECK(option_of(client_side, IPPROTO_TCP, TCP_KEEPINTVL) == 7);
  CHECK(option_of(client_side, IPPROTO_TCP, TCP_KEEPCNT) == 3);
  CHECK(option_of(target_side, IPPROTO_TCP, TCP_NODELAY) == 1);
  // A short connection is spared these; one that lives has them after a while.
  CHECK(option_of(target_side, SOL_SOCKET, SO_KEEPALIVE) == 0);
  REQUIRE(eventually([&] { return option_of(target_side, SOL_SOCKET, SO_KEEPALIVE) == 1; }));
  REQUIRE(eventually([&] { return option_of(target_side, IPPROTO_TCP, TCP_KEEPCNT) == 4; }));
  CHECK(option_of(target_side, IPPROTO_TCP, TCP_USER_TIMEOUT) == 23'456);
  CHECK(option_of(target_side, IPPROTO_TCP, TCP_KEEPIDLE) == 22);
  CHECK(option_of(target_side, IPPROTO_TCP, TCP_KEEPINTVL) == 8);
}

TEST_CASE("limits that could be met soon are set before the connection begins") {
  const table::SocketOptions soon[] = {{.user_timeout_ms = 12'000},
                                       {.user_timeout_ms = 60'000, .keepalive_idle_s = 12}};
  for (const table::SocketOptions& options : soon) {
    Path path;
    path.draft.target_options = options;
    path.loop.adopt(path.draft);
    path.connect(1);
    Peer target = path.target_listener.accept();
    const int target_side =
        socket_between(os::remote_address(target.fd()), os::local_address(target.fd()));
    REQUIRE(target_side >= 0);
    CHECK(option_of(target_side, IPPROTO_TCP, TCP_USER_TIMEOUT) ==
          static_cast<int>(options.user_timeout_ms));
    CHECK(option_of(target_side, SOL_SOCKET, SO_KEEPALIVE) ==
          (options.keepalive_idle_s > 0 ? 1 : 0));
  }
}

int open_descriptors() {
  int count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory) != nullptr) count++;
  ::closedir(directory);
  return count;
}

// Faults 4, and a leak test of every ending at once.
TEST_CASE("a storm of connections that end in every way leaves nothing behind") {
  const uint64_t seed = fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const int descriptors = open_descriptors();
  {
    Path path;
    std::atomic<bool> stop{false};
    std::thread targets([&] {
      std::mt19937_64 choice(seed + 1);
      std::vector<Peer> open;
      while (!stop.load()) {
        pollfd waiting{path.target_listener.fd(), POLLIN, 0};
        if (::poll(&waiting, 1, 20) == 1) open.push_back(path.target_listener.accept());
        if (open.empty()) continue;
        Peer& any = open[choice() % open.size()];
        switch (choice() % 4) {
          case 0:
            static_cast<void>(any.try_send(choice() % 1000 + 1));
            continue;
          case 1:
            any.reset();
            break;
          case 2:
            ::shutdown(any.fd(), SHUT_WR);
            continue;
          default:
            any.close();
        }
        std::swap(any, open.back());
        open.pop_back();
      }
    });
    constexpr uint64_t kStorm = 1500;
    for (uint64_t i = 0; i < kStorm; i++) {
      Peer client = Peer::connect(path.draft.address());
      if (random() % 3 == 0) static_cast<void>(client.try_send(1 + random() % 5000));
      if (random() % 4 == 0) ::shutdown(client.fd(), SHUT_WR);
      if (random() % 2 == 0) client.reset();
    }
    CHECK(path.await_opened(kStorm));
    stop.store(true);
    targets.join();
    path.target_listener.close();  // resets whoever was never accepted
    CHECK(eventually([&] { return path.loop.closed() == kStorm; }));
    uint64_t reasons = 0;
    for (const auto& count : path.loop.listener().closed_by_reason) reasons += count.load();
    CHECK(reasons == kStorm);
    CHECK(path.loop.target(0).connections_opened.load() ==
          path.loop.target(0).connections_closed.load());
  }
  CHECK(open_descriptors() == descriptors);
}

}  // namespace
}  // namespace sluice::test
