// First connection: tries until a connection's byte comes back, and says when that was on the
// monotonic clock, which all processes of a machine share.
//   first_connection --connect A:P --timeout-ms 20000
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "generators/arguments.h"
#include "generators/endpoint.h"
#include "generators/outcome.h"
#include "os/clock.h"

namespace sluice::bench {
namespace {

constexpr int kAnswerTimeoutMs = 1000;
constexpr long kPauseNs = 200'000;  // what the answer may be wrong by

bool answered(const sockaddr_in& target) {
  const os::Fd fd = open_tcp();
  if (start_connect(fd.get(), target) != 0 && errno != EINPROGRESS) return false;
  pollfd wanted{fd.get(), POLLOUT, 0};
  if (poll(&wanted, 1, kAnswerTimeoutMs) != 1 || pending_error(fd.get()) != 0) return false;
  if (send(fd.get(), "f", 1, MSG_NOSIGNAL) != 1) return false;
  wanted.events = POLLIN;
  char byte = 0;
  return poll(&wanted, 1, kAnswerTimeoutMs) == 1 && recv(fd.get(), &byte, 1, 0) == 1;
}

int run(const Arguments& arguments) {
  const sockaddr_in target = parse_endpoint(arguments.text("connect"));
  const uint64_t timeout_ns = arguments.number("timeout-ms", 20'000) * 1'000'000;
  const uint64_t started_ns = os::monotonic_ns();
  for (uint64_t tries = 1;; tries++) {
    const bool done = answered(target);
    const uint64_t now_ns = os::monotonic_ns();
    if (done) {
      print_figures({{"monotonic_us", static_cast<double>(now_ns / 1000)},
                     {"tries", static_cast<double>(tries)}});
      return 0;
    }
    if (now_ns - started_ns > timeout_ns) stop("nobody answered in time");
    const timespec pause{0, kPauseNs};
    nanosleep(&pause, nullptr);
  }
}

}  // namespace
}  // namespace sluice::bench

int main(int count, char** values) {
  return sluice::bench::run(sluice::bench::Arguments(count, values));
}
