// DatagramBatch: room for a batch of received datagrams of any size, with what recvmmsg says about
// each. A worker has two, made once: one for datagrams from clients, one for those from targets.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "os/address.h"

namespace sluice::udp {

inline constexpr uint32_t kDatagramBatchMax = 64;

// What one recvmmsg message holds: one datagram, or several of `segment_bytes` each (the last may
// be shorter) that the kernel joined (UDP_GRO).
struct Received {
  const std::byte* data = nullptr;
  uint32_t bytes = 0;
  uint32_t segment_bytes = 0;  // equals `bytes` for one datagram
  bool truncated = false;
};

class DatagramBatch {
 public:
  // UDP carries at most 65 535 bytes with its header, and a GRO packet no more.
  static constexpr size_t kBufferBytes = 64 * 1024;
  enum class Names : uint8_t { none, senders };

  // `size` is cut to kDatagramBatchMax.
  DatagramBatch(uint32_t size, Names names);

  [[nodiscard]] uint32_t size() const { return size_; }
  // The headers from `first` on, ready to be handed to recvmmsg.
  [[nodiscard]] std::span<mmsghdr> prepare(uint32_t first);
  [[nodiscard]] Received received(uint32_t index) const;
  [[nodiscard]] os::ClientAddress sender(uint32_t index) const;
  // Where the datagram was sent to, as an IPv6 or v4-mapped address; false when the kernel did not
  // say (the socket was not asked to).
  [[nodiscard]] bool read_local_ip(uint32_t index, std::span<uint8_t, 16> into) const;

 private:
  // Buffers of exactly 64 KiB would all begin in the same set of every cache: small datagrams,
  // which use only the first lines, would evict each other.
  static constexpr size_t kStaggerBytes = 17 * 64;
  // UDP_GRO's segment size and one of IP_PKTINFO and IPV6_PKTINFO.
  static constexpr size_t kControlBytes = CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo));
  struct Control {
    alignas(cmsghdr) std::byte bytes[kControlBytes];
  };

  uint32_t size_;
  Names names_mode_;
  std::unique_ptr<std::byte[]> buffers_;  // pages are touched only as datagrams need them
  mmsghdr headers_[kDatagramBatchMax] = {};
  iovec parts_[kDatagramBatchMax] = {};
  sockaddr_in6 names_[kDatagramBatchMax] = {};
  Control controls_[kDatagramBatchMax] = {};
};

}  // namespace sluice::udp
