// Connect storm: as many short connections as the other side allows. Each sends one message, reads
// its echo and closes; a fixed number is under way at once.
//   connect_storm --connect A:P --concurrency 64 --duration-ms 2000
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "generators/arguments.h"
#include "generators/endpoint.h"
#include "generators/latency.h"
#include "generators/outcome.h"
#include "os/clock.h"

namespace sluice::bench {
namespace {

constexpr size_t kMessageBytes = 64;
// How long the connections under way at the end may still take.
constexpr uint64_t kGraceNs = 2'000'000'000;

struct Attempt {
  os::Fd fd;
  uint64_t started_ns = 0;
  size_t received_bytes = 0;
  bool sent = false;
};

class Storm {
 public:
  Storm(const sockaddr_in& target, size_t concurrency)
      : target_(target), epoll_(open_epoll()), attempts_(concurrency) {}

  void run(uint64_t duration_ns) {
    started_ns_ = os::monotonic_ns();
    end_ns_ = started_ns_ + duration_ns;
    now_ns_ = started_ns_;
    for (size_t i = 0; i < attempts_.size(); i++) start(i);
    epoll_event events[256];
    while (open_ > 0 && now_ns_ < end_ns_ + kGraceNs) {
      const int ready = epoll_wait(epoll_.get(), events, 256, 100);
      now_ns_ = os::monotonic_ns();
      for (int i = 0; i < ready; i++) step(events[i].data.u64, events[i].events);
      if (now_ns_ < end_ns_) continue;
      if (measured_ns_ == 0) measured_ns_ = now_ns_ - started_ns_;
    }
  }

  void print() {
    print_figures({{"completed", static_cast<double>(completed_)},
                   {"failed", static_cast<double>(failed_ + open_)},
                   {"ports_exhausted", static_cast<double>(ports_exhausted_)},
                   {"seconds", static_cast<double>(measured_ns_) / 1e9},
                   {"p50_us", latencies_.quantile_us(0.5)},
                   {"p99_us", latencies_.quantile_us(0.99)}});
  }

 private:
  void start(size_t index) {
    Attempt& attempt = attempts_[index];
    if (now_ns_ >= end_ns_) return;
    attempt = Attempt{open_tcp(), os::monotonic_ns(), 0, false};
    open_++;
    if (start_connect(attempt.fd.get(), target_) != 0 && errno != EINPROGRESS) {
      // The client's own limit; going on would measure that limit.
      if (errno == EADDRNOTAVAIL) {
        ports_exhausted_++;
        end_ns_ = now_ns_;
      }
      return fail(index);
    }
    watch(epoll_.get(), attempt.fd.get(), EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, index);
  }

  void step(size_t index, uint32_t events) {
    Attempt& attempt = attempts_[index];
    if (!attempt.fd.valid()) return;
    if (!attempt.sent && (events & EPOLLOUT) != 0) {
      char message[kMessageBytes] = {'s'};
      if (send(attempt.fd.get(), message, sizeof(message), MSG_NOSIGNAL) != sizeof(message)) {
        return fail(index);
      }
      attempt.sent = true;
    }
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP)) == 0) return;
    char buffer[256];
    const ssize_t received = recv(attempt.fd.get(), buffer, sizeof(buffer), 0);
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) return fail(index);
    attempt.received_bytes += static_cast<size_t>(received);
    if (attempt.received_bytes < kMessageBytes) return;
    completed_++;
    latencies_.add_ns(os::monotonic_ns() - attempt.started_ns);
    finish(index);
  }

  void fail(size_t index) {
    failed_++;
    finish(index);
  }

  void finish(size_t index) {
    attempts_[index].fd.reset();
    open_--;
    // A refusal that comes at once must not recurse without end: only while time is left.
    if (failed_ < 10'000) start(index);
  }

  sockaddr_in target_;
  os::Fd epoll_;
  std::vector<Attempt> attempts_;
  Latencies latencies_;
  size_t open_ = 0;
  uint64_t completed_ = 0;
  uint64_t failed_ = 0;
  uint64_t ports_exhausted_ = 0;
  uint64_t started_ns_ = 0;
  uint64_t now_ns_ = 0;
  uint64_t end_ns_ = 0;
  uint64_t measured_ns_ = 0;
};

}  // namespace
}  // namespace sluice::bench

int main(int count, char** values) {
  using namespace sluice::bench;
  const Arguments arguments(count, values);
  Storm storm(parse_endpoint(arguments.text("connect")), arguments.number("concurrency", 64));
  storm.run(arguments.number("duration-ms", 2000) * 1'000'000);
  storm.print();
  return 0;
}
