// A TCP target that echoes small messages and counts them, so that what clients claim can be
// checked. SIGTERM ends it and prints the counts.
//   tcp_target --listen 0.0.0.0:9000 [--device lo]
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "generators/arguments.h"
#include "generators/endpoint.h"
#include "generators/outcome.h"

namespace sluice::bench {
namespace {

// Descriptors are tags of their own connections; these two stand beside them.
constexpr uint64_t kListenerTag = UINT64_MAX;
constexpr uint64_t kStopTag = UINT64_MAX - 1;

struct Counts {
  uint64_t accepted = 0;
  uint64_t bytes = 0;
  uint64_t closed = 0;
  uint64_t unanswered = 0;  // connections whose client did not read: dropped
};

void accept_all(int epoll, int listener, Counts& counts) {
  while (true) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
      stop_on_error("accept4");
    }
    counts.accepted++;
    watch(epoll, fd, EPOLLIN | EPOLLRDHUP, static_cast<uint64_t>(fd));
  }
}

void close_connection(int fd, Counts& counts) {
  counts.closed++;
  os::Fd(fd).reset();
}

void answer(int fd, Counts& counts, std::vector<char>& buffer) {
  const ssize_t received = recv(fd, buffer.data(), buffer.size(), 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received <= 0) return close_connection(fd, counts);
  counts.bytes += static_cast<uint64_t>(received);
  if (send(fd, buffer.data(), static_cast<size_t>(received), MSG_NOSIGNAL) != received) {
    counts.unanswered++;
    close_connection(fd, counts);
  }
}

int run(const Arguments& arguments) {
  const int stop_signal = open_stop_signal();
  const os::Fd listener = listen_tcp(parse_endpoint(arguments.text("listen")));
  if (arguments.has("device")) {
    const std::string device = arguments.text("device");
    const auto bytes = static_cast<socklen_t>(device.size());
    must(setsockopt(listener.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(), bytes),
         "SO_BINDTODEVICE");
  }
  const os::Fd epoll = open_epoll();
  watch(epoll.get(), stop_signal, EPOLLIN, kStopTag);
  watch(epoll.get(), listener.get(), EPOLLIN, kListenerTag);
  print_figures({{"listening", 1}});
  Counts counts;
  std::vector<char> buffer(size_t{64} << 10U);
  epoll_event events[256];
  while (true) {
    const int ready = epoll_wait(epoll.get(), events, 256, -1);
    if (ready < 0 && errno != EINTR) stop_on_error("epoll_wait");
    for (int i = 0; i < ready; i++) {
      const uint64_t tag = events[i].data.u64;
      if (tag == kStopTag) {
        print_figures({{"accepted", static_cast<double>(counts.accepted)},
                       {"closed", static_cast<double>(counts.closed)},
                       {"bytes", static_cast<double>(counts.bytes)},
                       {"unanswered", static_cast<double>(counts.unanswered)}});
        return 0;
      }
      if (tag == kListenerTag) {
        accept_all(epoll.get(), listener.get(), counts);
      } else {
        answer(static_cast<int>(tag), counts, buffer);
      }
    }
  }
}

}  // namespace
}  // namespace sluice::bench

int main(int count, char** values) {
  return sluice::bench::run(sluice::bench::Arguments(count, values));
}
