// Open-loop load: requests leave on a fixed schedule over many connections, whether or not answers
// come, and a latency counts from the moment at which its request was due. So a stall shows in all
// requests that it delayed (no coordinated omission).
//   open_loop --connect A:P --connections 64 --rate 10000 --duration-ms 2000 --protocol http|echo
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "generators/arguments.h"
#include "generators/endpoint.h"
#include "generators/latency.h"
#include "generators/outcome.h"
#include "os/clock.h"

namespace sluice::bench {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
// How long the last answers may take.
constexpr uint64_t kGraceNs = 2 * kSecondNs;
// A request that leaves later than this after it was due was held up by this program.
constexpr uint64_t kLateNs = 1'000'000;

struct Connection {
  os::Fd fd;
  std::deque<uint64_t> due_ns;  // of requests without their answer, oldest first
  size_t answer_bytes = 0;      // of the running answer
  bool broken = false;
};

void wait_for(int fd, uint32_t events) {
  const os::Fd epoll = open_epoll();
  watch(epoll.get(), fd, events, 0);
  epoll_event event;
  if (must(epoll_wait(epoll.get(), &event, 1, 10'000), "epoll_wait") == 0) {
    stop("a connection was not answered");
  }
}

os::Fd connect_now(const sockaddr_in& target) {
  os::Fd fd = open_tcp();
  if (start_connect(fd.get(), target) != 0 && errno != EINPROGRESS) stop_on_error("connect");
  wait_for(fd.get(), EPOLLOUT);
  if (pending_error(fd.get()) != 0) stop("a connection was refused");
  return fd;
}

// The bytes of one answer: all answers are alike, so later ones are only counted.
size_t learn_answer_bytes(int fd, std::string_view request, bool http) {
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) stop_on_error("send");
  if (!http) {
    wait_for(fd, EPOLLIN);
    char echo[4096];
    if (recv(fd, echo, sizeof(echo), 0) != static_cast<ssize_t>(request.size())) {
      stop("the echo differs");
    }
    return request.size();
  }
  std::string answer;
  while (true) {
    wait_for(fd, EPOLLIN);
    char buffer[16384];
    const ssize_t received = recv(fd, buffer, sizeof(buffer), 0);
    if (received <= 0) stop("the target closed instead of answering");
    answer.append(buffer, static_cast<size_t>(received));
    const size_t head_end = answer.find("\r\n\r\n");
    if (head_end == std::string::npos) continue;
    constexpr std::string_view kLength = "Content-Length: ";
    const size_t at = answer.find(kLength);
    if (at == std::string::npos || at > head_end) stop("the answer has no Content-Length");
    size_t body_bytes = 0;
    std::from_chars(answer.data() + at + kLength.size(), answer.data() + head_end, body_bytes);
    const size_t total = head_end + 4 + body_bytes;
    if (answer.size() >= total) return total;
  }
}

class OpenLoop {
 public:
  OpenLoop(const sockaddr_in& target, size_t connections, bool http) : epoll_(open_epoll()) {
    request_ = http ? "GET / HTTP/1.1\r\nHost: bench\r\n\r\n" : std::string(64, 'e');
    connections_.resize(connections);
    for (size_t i = 0; i < connections; i++) {
      connections_[i].fd = connect_now(target);
      // The first exchange of every connection is outside of the measurement.
      answer_bytes_ = learn_answer_bytes(connections_[i].fd.get(), request_, http);
      watch(epoll_.get(), connections_[i].fd.get(), EPOLLIN | EPOLLRDHUP, i);
    }
  }

  void run(uint64_t rate, uint64_t duration_ns) {
    const uint64_t started_ns = os::monotonic_ns();
    const uint64_t end_ns = started_ns + duration_ns;
    const uint64_t requests = duration_ns * rate / kSecondNs;
    epoll_event events[256];
    uint64_t now_ns = started_ns;
    while (sent_ < requests || (completed_ + failed_ < sent_ && now_ns < end_ns + kGraceNs)) {
      uint64_t due_ns = started_ns + sent_ * kSecondNs / rate;
      while (sent_ < requests && due_ns <= now_ns) {
        send_one(due_ns, now_ns);
        due_ns = started_ns + sent_ * kSecondNs / rate;
      }
      const uint64_t wait_ns = sent_ < requests ? due_ns - now_ns : kSecondNs / 10;
      const timespec timeout{static_cast<time_t>(wait_ns / kSecondNs),
                             static_cast<long>(wait_ns % kSecondNs)};
      const int ready = epoll_pwait2(epoll_.get(), events, 256, &timeout, nullptr);
      now_ns = os::monotonic_ns();
      for (int i = 0; i < ready; i++) receive(connections_[events[i].data.u64]);
    }
    elapsed_ns_ = duration_ns;
  }

  void print() {
    print_figures({{"requests", static_cast<double>(connections_.size() + sent_)},
                   {"sent", static_cast<double>(sent_)},
                   {"completed", static_cast<double>(completed_)},
                   {"failed", static_cast<double>(sent_ - completed_)},
                   {"late", static_cast<double>(late_)},
                   {"answer_bytes", static_cast<double>(answer_bytes_)},
                   {"seconds", static_cast<double>(elapsed_ns_) / 1e9},
                   {"p50_us", latencies_.quantile_us(0.5)},
                   {"p99_us", latencies_.quantile_us(0.99)},
                   {"p999_us", latencies_.quantile_us(0.999)},
                   {"max_us", latencies_.quantile_us(1)}});
  }

 private:
  void send_one(uint64_t due_ns, uint64_t now_ns) {
    Connection& connection = connections_[sent_ % connections_.size()];
    sent_++;
    if (now_ns - due_ns > kLateNs) late_++;
    // A broken connection's requests stay without an answer: they are the failures.
    const auto bytes = static_cast<ssize_t>(request_.size());
    if (connection.broken ||
        send(connection.fd.get(), request_.data(), request_.size(), MSG_NOSIGNAL) != bytes) {
      connection.broken = true;
      failed_++;
      return;
    }
    connection.due_ns.push_back(due_ns);
  }

  void receive(Connection& connection) {
    char buffer[65536];
    const ssize_t received = recv(connection.fd.get(), buffer, sizeof(buffer), 0);
    if (received < 0 && errno == EAGAIN) return;
    if (received <= 0) {
      connection.broken = true;
      failed_ += connection.due_ns.size();
      connection.due_ns.clear();
      connection.fd.reset();  // and leaves the epoll set
      return;
    }
    connection.answer_bytes += static_cast<size_t>(received);
    const uint64_t now_ns = os::monotonic_ns();
    while (connection.answer_bytes >= answer_bytes_ && !connection.due_ns.empty()) {
      connection.answer_bytes -= answer_bytes_;
      latencies_.add_ns(now_ns - connection.due_ns.front());
      connection.due_ns.pop_front();
      completed_++;
    }
  }

  os::Fd epoll_;
  std::string request_;
  size_t answer_bytes_ = 0;
  std::vector<Connection> connections_;
  Latencies latencies_;
  uint64_t sent_ = 0;
  uint64_t completed_ = 0;
  uint64_t failed_ = 0;
  uint64_t late_ = 0;
  uint64_t elapsed_ns_ = 0;
};

}  // namespace
}  // namespace sluice::bench

int main(int count, char** values) {
  using namespace sluice::bench;
  const Arguments arguments(count, values);
  const std::string protocol = arguments.text("protocol");
  if (protocol != "http" && protocol != "echo") stop("--protocol is http or echo");
  const uint64_t rate = arguments.number("rate", 1000);
  if (rate == 0) stop("--rate is at least 1");
  OpenLoop load(parse_endpoint(arguments.text("connect")), arguments.number("connections", 64),
                protocol == "http");
  print_figures({{"ready", 1}});
  load.run(rate, arguments.number("duration-ms", 2000) * 1'000'000);
  load.print();
  return 0;
}
