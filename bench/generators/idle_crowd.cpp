// Idle crowd: opens connections, proves each by one echoed byte, and then holds them silently until
// SIGTERM. Prints a line when all are open and one at the end with how many survived.
//   idle_crowd --connect A:P --connections 9000
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "generators/arguments.h"
#include "generators/endpoint.h"
#include "generators/outcome.h"
#include "os/clock.h"

namespace sluice::bench {
namespace {

constexpr size_t kUnderWayMax = 128;  // below every backlog in use
constexpr int kAnswerTimeoutMs = 10'000;

void await(int fd, short events) {
  pollfd wanted{fd, events, 0};
  const int ready = must(poll(&wanted, 1, kAnswerTimeoutMs), "poll");
  if (ready == 0) stop("a connection was not answered");
}

void open_some(const sockaddr_in& target, size_t count, std::vector<os::Fd>& crowd) {
  const size_t first = crowd.size();
  for (size_t i = 0; i < count; i++) {
    crowd.push_back(open_tcp());
    if (start_connect(crowd.back().get(), target) != 0 && errno != EINPROGRESS) {
      stop_on_error("connect");
    }
  }
  for (size_t i = first; i < crowd.size(); i++) {
    await(crowd[i].get(), POLLOUT);
    if (send(crowd[i].get(), "i", 1, MSG_NOSIGNAL) != 1) stop_on_error("send");
  }
  for (size_t i = first; i < crowd.size(); i++) {
    await(crowd[i].get(), POLLIN);
    char byte = 0;
    if (recv(crowd[i].get(), &byte, 1, 0) != 1) stop_on_error("recv");
  }
}

size_t count_open(const std::vector<os::Fd>& crowd) {
  size_t open = 0;
  for (const os::Fd& fd : crowd) {
    char byte = 0;
    // Nobody sends anything: whatever can be read is an end.
    if (recv(fd.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) open++;
  }
  return open;
}

int run(const Arguments& arguments) {
  const int stop_signal = open_stop_signal();
  const sockaddr_in target = parse_endpoint(arguments.text("connect"));
  const size_t connections = arguments.number("connections", 1000);
  std::vector<os::Fd> crowd;
  crowd.reserve(connections);
  const uint64_t started_ns = os::monotonic_ns();
  while (crowd.size() < connections) {
    open_some(target, std::min(kUnderWayMax, connections - crowd.size()), crowd);
  }
  const auto elapsed_ns = static_cast<double>(os::monotonic_ns() - started_ns);
  print_figures({{"ready", static_cast<double>(crowd.size())}, {"seconds", elapsed_ns / 1e9}});
  pollfd wanted{stop_signal, POLLIN, 0};
  while (poll(&wanted, 1, -1) < 0 && errno == EINTR) continue;
  print_figures({{"open", static_cast<double>(count_open(crowd))}});
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int count, char** values) {
  return sluice::bench::run(sluice::bench::Arguments(count, values));
}
