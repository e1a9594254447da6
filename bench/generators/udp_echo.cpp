// UDP echo client: sessions that each send a burst, wait until all of it is back (or a deadline has
// passed: then the rest is lost) and send the next. Bytes 0-7 of a datagram say round and index.
//   udp_echo --connect A:P --sessions 16 --burst 16 --size 64 --duration-ms 2000 [--gso 1]
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "generators/arguments.h"
#include "generators/datagrams.h"
#include "generators/endpoint.h"
#include "generators/latency.h"
#include "generators/outcome.h"
#include "os/clock.h"

namespace sluice::bench {
namespace {

constexpr int kBufferBytes = 4 << 20;
constexpr uint64_t kDeadlineNs = 100'000'000;
constexpr uint32_t kHeaderBytes = 8;

struct Load {
  uint32_t sessions;
  uint32_t burst;
  uint32_t datagram_bytes;
  uint64_t duration_ns;
  bool gso;
};

struct Session {
  os::Fd fd;
  uint32_t round = 0;
  uint32_t outstanding = 0;
  uint64_t sent_ns = 0;
};

class EchoClient {
 public:
  EchoClient(const Load& load, const sockaddr_in& target)
      : load_(load),
        epoll_(open_epoll()),
        batch_(load.gso),
        payload_(size_t{load.burst} * load.datagram_bytes) {
    sessions_.resize(load.sessions);
    for (uint32_t i = 0; i < load.sessions; i++) {
      sessions_[i].fd = connect_udp(target, kBufferBytes);
      if (load.gso) set_option(sessions_[i].fd.get(), SOL_UDP, UDP_GRO, 1);
      watch(epoll_.get(), sessions_[i].fd.get(), EPOLLIN, i);
    }
    for (uint32_t i = 0; i < load.burst; i++) {
      iovecs_.push_back({payload_.data() + size_t{i} * load.datagram_bytes, load.datagram_bytes});
    }
  }

  void run() {
    const uint64_t started_ns = os::monotonic_ns();
    const uint64_t end_ns = started_ns + load_.duration_ns;
    for (Session& session : sessions_) send_burst(session, started_ns);
    uint64_t checked_ns = started_ns;
    uint64_t now_ns = started_ns;
    epoll_event events[256];
    while (now_ns < end_ns || outstanding_ > 0) {
      const int ready = epoll_wait(epoll_.get(), events, 256, 10);
      now_ns = os::monotonic_ns();
      for (int i = 0; i < ready; i++) {
        receive(sessions_[events[i].data.u64], now_ns, now_ns < end_ns);
      }
      if (now_ns - checked_ns > kDeadlineNs / 10) {
        give_up_late_ones(now_ns, now_ns < end_ns);
        checked_ns = now_ns;
      }
    }
    elapsed_ns_ = now_ns - started_ns;
  }

  void print() {
    const uint64_t lost = sent_ - received_ - late_;
    print_figures({{"sent", static_cast<double>(sent_)},
                   {"received", static_cast<double>(received_ + late_)},
                   {"lost", static_cast<double>(lost)},
                   {"seconds", static_cast<double>(elapsed_ns_) / 1e9},
                   {"p50_us", latencies_.quantile_us(0.5)},
                   {"p99_us", latencies_.quantile_us(0.99)}});
  }

 private:
  void send_burst(Session& session, uint64_t now_ns) {
    session.round++;
    session.sent_ns = now_ns;
    for (uint32_t i = 0; i < load_.burst; i++) {
      char* header = payload_.data() + size_t{i} * load_.datagram_bytes;
      std::memcpy(header, &session.round, sizeof(session.round));
      std::memcpy(header + sizeof(session.round), &i, sizeof(i));
    }
    const uint32_t sent = load_.gso ? send_pieces(session) : send_singly(session);
    sent_ += sent;
    session.outstanding = sent;
    outstanding_ += sent;
  }

  // Returns how many datagrams the kernel took. What it did not take was never on its way, and is
  // no loss of the balancer.
  uint32_t send_singly(const Session& session) {
    mmsghdr headers[kBatch];
    uint32_t taken = 0;
    while (taken < load_.burst) {
      const uint32_t count = std::min(kBatch, load_.burst - taken);
      std::memset(headers, 0, sizeof(headers));
      for (uint32_t i = 0; i < count; i++) {
        headers[i].msg_hdr.msg_iov = &iovecs_[taken + i];
        headers[i].msg_hdr.msg_iovlen = 1;
      }
      const int sent = sendmmsg(session.fd.get(), headers, count, 0);
      if (sent <= 0) return taken;
      taken += static_cast<uint32_t>(sent);
    }
    return taken;
  }

  uint32_t send_pieces(const Session& session) {
    uint32_t taken = 0;
    const uint32_t piece_max = std::min(kSegmentsMax, 65000 / load_.datagram_bytes);
    while (taken < load_.burst) {
      const uint32_t count = std::min(piece_max, load_.burst - taken);
      SegmentControl control;
      msghdr header{};
      header.msg_iov = &iovecs_[taken];
      header.msg_iovlen = count;
      control.attach_segment(header, load_.datagram_bytes);
      if (sendmsg(session.fd.get(), &header, 0) < 0) return taken;
      taken += count;
    }
    return taken;
  }

  void receive(Session& session, uint64_t now_ns, bool goes_on) {
    while (const uint32_t pieces = batch_.receive(session.fd.get())) {
      for (uint32_t i = 0; i < pieces; i++) {
        count_piece(session, batch_.piece(i), batch_.segment_bytes(i));
      }
      if (pieces < kBatch) break;
    }
    if (session.outstanding > 0 || session.sent_ns == 0) return;
    latencies_.add_ns(now_ns - session.sent_ns);
    session.sent_ns = 0;
    if (goes_on) send_burst(session, now_ns);
  }

  void count_piece(Session& session, std::span<const char> piece, uint32_t segment_bytes) {
    for (size_t at = 0; at + kHeaderBytes <= piece.size(); at += segment_bytes) {
      uint32_t round = 0;
      std::memcpy(&round, piece.data() + at, sizeof(round));
      if (round != session.round || session.outstanding == 0) {
        late_++;
        continue;
      }
      received_++;
      session.outstanding--;
      outstanding_--;
    }
  }

  void give_up_late_ones(uint64_t now_ns, bool goes_on) {
    for (Session& session : sessions_) {
      const bool waits = session.sent_ns != 0;
      if (waits && now_ns - session.sent_ns < kDeadlineNs) continue;
      if (!waits && !goes_on) continue;
      outstanding_ -= session.outstanding;
      session.outstanding = 0;
      session.sent_ns = 0;
      if (goes_on) send_burst(session, now_ns);
    }
  }

  Load load_;
  os::Fd epoll_;
  DatagramBatch batch_;
  std::vector<char> payload_;
  std::vector<iovec> iovecs_;
  std::vector<Session> sessions_;
  Latencies latencies_;
  uint64_t outstanding_ = 0;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  uint64_t late_ = 0;  // came back after their deadline: not lost, but too late for their round
  uint64_t elapsed_ns_ = 0;
};

}  // namespace
}  // namespace sluice::bench

int main(int count, char** values) {
  using namespace sluice::bench;
  const Arguments arguments(count, values);
  const Load load{
      .sessions = static_cast<uint32_t>(arguments.number("sessions", 16)),
      .burst = static_cast<uint32_t>(arguments.number("burst", 16)),
      .datagram_bytes = static_cast<uint32_t>(arguments.number("size", 64)),
      .duration_ns = arguments.number("duration-ms", 2000) * 1'000'000,
      .gso = arguments.number("gso", 0) == 1,
  };
  if (load.datagram_bytes < kHeaderBytes || load.datagram_bytes > 1472) stop("--size is 8 to 1472");
  EchoClient client(load, parse_endpoint(arguments.text("connect")));
  client.run();
  client.print();
  return 0;
}
