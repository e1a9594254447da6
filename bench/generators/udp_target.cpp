// A UDP target that echoes and counts datagrams. With --gso 1 whole pieces are taken and sent
// (GRO, GSO). SIGTERM ends it and prints the counts.
//   udp_target --listen 0.0.0.0:9000 [--gso 1]
#include <sys/epoll.h>

#include <cstdint>
#include <vector>

#include "generators/arguments.h"
#include "generators/datagrams.h"
#include "generators/endpoint.h"
#include "generators/outcome.h"

namespace sluice::bench {
namespace {

constexpr int kBufferBytes = 16 << 20;

class EchoTarget {
 public:
  EchoTarget(int fd, bool gso) : fd_(fd), batch_(gso) {}

  void answer_all() {
    while (const uint32_t count = batch_.receive(fd_)) {
      prepare(count);
      send_all(count);
      if (count < kBatch) return;
    }
  }

  void print() const {
    print_figures(
        {{"received", static_cast<double>(received_)}, {"sent", static_cast<double>(sent_)}});
  }

 private:
  void prepare(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
      const std::span<const char> piece = batch_.piece(i);
      iovecs_[i] = {const_cast<char*>(piece.data()), piece.size()};
      msghdr& header = headers_[i].msg_hdr;
      header = {};
      header.msg_name = const_cast<sockaddr_in*>(&batch_.peer(i));
      header.msg_namelen = sizeof(sockaddr_in);
      header.msg_iov = &iovecs_[i];
      header.msg_iovlen = 1;
      const auto bytes = static_cast<uint32_t>(piece.size());
      const uint32_t segment = batch_.segment_bytes(i);
      counts_[i] = datagrams_in(bytes, segment);
      received_ += counts_[i];
      if (segment < bytes) controls_[i].attach_segment(header, segment);
    }
  }

  void send_all(uint32_t count) {
    uint32_t done = 0;
    while (done < count) {
      const int sent = sendmmsg(fd_, headers_ + done, count - done, 0);
      // A full send buffer or a client that is gone: this piece is lost, and counted as such.
      const uint32_t moved = sent > 0 ? static_cast<uint32_t>(sent) : 0;
      for (uint32_t i = done; i < done + moved; i++) sent_ += counts_[i];
      done += moved > 0 ? moved : 1;
    }
  }

  int fd_;
  DatagramBatch batch_;
  mmsghdr headers_[kBatch] = {};
  iovec iovecs_[kBatch] = {};
  SegmentControl controls_[kBatch] = {};
  uint32_t counts_[kBatch] = {};
  uint64_t received_ = 0;
  uint64_t sent_ = 0;
};

int run(const Arguments& arguments) {
  const int stop_signal = open_stop_signal();
  const bool gso = arguments.number("gso", 0) == 1;
  const os::Fd socket = bind_udp(parse_endpoint(arguments.text("listen")), kBufferBytes);
  if (gso) set_option(socket.get(), SOL_UDP, UDP_GRO, 1);
  const os::Fd epoll = open_epoll();
  watch(epoll.get(), stop_signal, EPOLLIN, 1);
  watch(epoll.get(), socket.get(), EPOLLIN, 0);
  print_figures({{"listening", 1}});
  EchoTarget target(socket.get(), gso);
  epoll_event events[2];
  while (true) {
    const int ready = epoll_wait(epoll.get(), events, 2, -1);
    for (int i = 0; i < ready; i++) {
      if (events[i].data.u64 == 1) {
        target.print();
        return 0;
      }
      target.answer_all();
    }
  }
}

}  // namespace
}  // namespace sluice::bench

int main(int count, char** values) {
  return sluice::bench::run(sluice::bench::Arguments(count, values));
}
