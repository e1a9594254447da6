// The floor for UDP: the cheapest relay that keeps a socket per client. No policy, no counters, no
// timeouts. Runs of equal datagrams of one client leave in one piece (GSO); with --gso 1 they are
// also received so (GRO).
//   udp_floor --listen 0.0.0.0:8080 --target 10.0.0.2:9000 [--gso 1]
#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "generators/arguments.h"
#include "generators/datagrams.h"
#include "generators/endpoint.h"
#include "generators/outcome.h"

namespace sluice::bench {
namespace {

constexpr int kBufferBytes = 16 << 20;
constexpr size_t kPieceBytesMax = 65000;

struct Flow {
  os::Fd fd;
  sockaddr_in client;
};

uint64_t key_of(const sockaddr_in& client) {
  return uint64_t{client.sin_addr.s_addr} << 16U | client.sin_port;
}

// Messages to send by one sendmmsg; each joins consecutive pieces of one peer and one size.
class SendBatch {
 public:
  void add(DatagramBatch& batch, uint32_t index, const sockaddr_in* to) {
    const std::span<const char> piece = batch.piece(index);
    const auto bytes = static_cast<uint32_t>(piece.size());
    const uint32_t segment = batch.segment_bytes(index);
    iovecs_[index] = {const_cast<char*>(piece.data()), piece.size()};
    if (count_ > 0 && joins(to, segment, bytes)) {
      Message& last = messages_[count_ - 1];
      last.bytes += bytes;
      last.datagrams += datagrams_in(bytes, segment);
      last.open = bytes % segment == 0;
      headers_[count_ - 1].msg_hdr.msg_iovlen++;
      return;
    }
    messages_[count_] = {to == nullptr ? 0 : key_of(*to), segment, bytes,
                         datagrams_in(bytes, segment), bytes % segment == 0};
    msghdr& header = headers_[count_].msg_hdr;
    header = {};
    header.msg_name = const_cast<sockaddr_in*>(to);
    header.msg_namelen = to == nullptr ? 0 : sizeof(sockaddr_in);
    header.msg_iov = &iovecs_[index];
    header.msg_iovlen = 1;
    count_++;
  }

  void send(int fd) {
    for (uint32_t i = 0; i < count_; i++) {
      if (messages_[i].datagrams > 1) {
        controls_[i].attach_segment(headers_[i].msg_hdr, messages_[i].segment_bytes);
      }
    }
    for (uint32_t done = 0; done < count_;) {
      const int sent = sendmmsg(fd, headers_ + done, count_ - done, 0);
      done += sent > 0 ? static_cast<uint32_t>(sent) : 1;
    }
    count_ = 0;
  }

 private:
  struct Message {
    uint64_t to;
    uint32_t segment_bytes;
    size_t bytes;
    uint32_t datagrams;
    bool open;  // all its datagrams are of one size: another may follow
  };

  [[nodiscard]] bool joins(const sockaddr_in* to, uint32_t segment, uint32_t bytes) const {
    const Message& last = messages_[count_ - 1];
    return last.open && last.segment_bytes == segment && segment > 0 &&
           last.to == (to == nullptr ? 0 : key_of(*to)) && last.bytes + bytes <= kPieceBytesMax &&
           last.datagrams + datagrams_in(bytes, segment) <= kSegmentsMax;
  }

  uint32_t count_ = 0;
  Message messages_[kBatch] = {};
  mmsghdr headers_[kBatch] = {};
  iovec iovecs_[kBatch] = {};
  SegmentControl controls_[kBatch] = {};
};

class Floor {
 public:
  Floor(const sockaddr_in& listen, const sockaddr_in& target, bool gso)
      : target_(target),
        gso_(gso),
        epoll_(open_epoll()),
        listener_(bind_udp(listen, kBufferBytes)),
        batch_(gso) {
    if (gso) set_option(listener_.get(), SOL_UDP, UDP_GRO, 1);
    watch(epoll_.get(), listener_.get(), EPOLLIN, 0);
  }

  void run() {
    epoll_event events[256];
    while (true) {
      const int ready = epoll_wait(epoll_.get(), events, 256, -1);
      for (int i = 0; i < ready; i++) {
        if (events[i].data.u64 == 0) {
          to_targets();
        } else {
          to_client(*reinterpret_cast<Flow*>(events[i].data.u64));
        }
      }
    }
  }

 private:
  void to_targets() {
    const uint32_t count = batch_.receive(listener_.get());
    for (uint32_t i = 0; i < count;) {
      const uint64_t key = key_of(batch_.peer(i));
      const Flow& flow = flow_of(key, batch_.peer(i));
      while (i < count && key_of(batch_.peer(i)) == key) sending_.add(batch_, i++, nullptr);
      sending_.send(flow.fd.get());
    }
  }

  void to_client(const Flow& flow) {
    const uint32_t count = batch_.receive(flow.fd.get());
    for (uint32_t i = 0; i < count; i++) sending_.add(batch_, i, &flow.client);
    sending_.send(listener_.get());
  }

  Flow& flow_of(uint64_t key, const sockaddr_in& client) {
    std::unique_ptr<Flow>& flow = flows_[key];
    if (flow == nullptr) {
      flow = std::make_unique<Flow>(Flow{connect_udp(target_, kBufferBytes), client});
      if (gso_) set_option(flow->fd.get(), SOL_UDP, UDP_GRO, 1);
      watch(epoll_.get(), flow->fd.get(), EPOLLIN, reinterpret_cast<uint64_t>(flow.get()));
    }
    return *flow;
  }

  sockaddr_in target_;
  bool gso_;
  os::Fd epoll_;
  os::Fd listener_;
  DatagramBatch batch_;
  SendBatch sending_;
  std::unordered_map<uint64_t, std::unique_ptr<Flow>> flows_;
};

}  // namespace
}  // namespace sluice::bench

int main(int count, char** values) {
  using namespace sluice::bench;
  const Arguments arguments(count, values);
  Floor relay(parse_endpoint(arguments.text("listen")), parse_endpoint(arguments.text("target")),
              arguments.number("gso", 0) == 1);
  relay.run();
}
