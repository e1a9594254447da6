// DatagramBatch: places for recvmmsg and sendmmsg with what the bench programs need of each piece:
// its bytes, its peer's address and, with GRO, the size of the datagrams that it is made of.
#pragma once

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "generators/outcome.h"

namespace sluice::bench {

inline constexpr uint32_t kBatch = 64;
// The kernel takes at most this many datagrams in one piece (UDP_MAX_SEGMENTS; 128 since 6.9).
inline constexpr uint32_t kSegmentsMax = 64;

// Control space for one UDP_GRO (an int) or UDP_SEGMENT (a u16).
struct SegmentControl {
  alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(int))];

  // Puts a UDP_SEGMENT of `segment_bytes` into `header`.
  void attach_segment(msghdr& header, uint32_t segment_bytes) {
    header.msg_control = bytes;
    header.msg_controllen = CMSG_SPACE(sizeof(uint16_t));
    cmsghdr* message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = SOL_UDP;
    message->cmsg_type = UDP_SEGMENT;
    message->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const auto value = static_cast<uint16_t>(segment_bytes);
    std::memcpy(CMSG_DATA(message), &value, sizeof(value));
  }
};

// Size of the datagrams in a received piece: from UDP_GRO, else the piece is one datagram.
inline uint32_t segment_bytes_of(msghdr& header, uint32_t piece_bytes) {
  for (cmsghdr* m = CMSG_FIRSTHDR(&header); m != nullptr; m = CMSG_NXTHDR(&header, m)) {
    if (m->cmsg_level == SOL_UDP && m->cmsg_type == UDP_GRO) {
      int value = 0;
      std::memcpy(&value, CMSG_DATA(m), sizeof(value));
      return value > 0 ? static_cast<uint32_t>(value) : piece_bytes;
    }
  }
  return piece_bytes;
}

inline uint32_t datagrams_in(uint32_t piece_bytes, uint32_t segment_bytes) {
  return segment_bytes == 0 ? 1 : (piece_bytes + segment_bytes - 1) / segment_bytes;
}

class DatagramBatch {
 public:
  // With GRO a piece may have 64 KiB.
  explicit DatagramBatch(bool gro)
      : place_bytes_(gro ? 65536 : 2048), data_(new char[kBatch * place_bytes_]) {
    std::memset(headers_, 0, sizeof(headers_));
    for (uint32_t i = 0; i < kBatch; i++) {
      iovecs_[i].iov_base = data_.get() + size_t{i} * place_bytes_;
      msghdr& header = headers_[i].msg_hdr;
      header.msg_iov = &iovecs_[i];
      header.msg_iovlen = 1;
      header.msg_name = &peers_[i];
      header.msg_control = controls_[i].bytes;
    }
  }

  // How many pieces came; 0 when none waits.
  uint32_t receive(int fd) {
    for (uint32_t i = 0; i < kBatch; i++) {
      iovecs_[i].iov_len = place_bytes_;
      msghdr& header = headers_[i].msg_hdr;
      header.msg_namelen = sizeof(sockaddr_in);
      header.msg_controllen = sizeof(SegmentControl);
      header.msg_flags = 0;
    }
    const int received = recvmmsg(fd, headers_, kBatch, MSG_DONTWAIT, nullptr);
    if (received >= 0) return static_cast<uint32_t>(received);
    // A refusal is an ICMP error of an earlier send: the peer is gone, nothing came.
    if (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED) return 0;
    stop_on_error("recvmmsg");
  }

  [[nodiscard]] std::span<const char> piece(uint32_t index) const {
    return {data_.get() + size_t{index} * place_bytes_, headers_[index].msg_len};
  }
  [[nodiscard]] uint32_t segment_bytes(uint32_t index) {
    return segment_bytes_of(headers_[index].msg_hdr, headers_[index].msg_len);
  }
  [[nodiscard]] const sockaddr_in& peer(uint32_t index) const { return peers_[index]; }

 private:
  size_t place_bytes_;
  std::unique_ptr<char[]> data_;
  mmsghdr headers_[kBatch];
  iovec iovecs_[kBatch];
  sockaddr_in peers_[kBatch];
  SegmentControl controls_[kBatch];
};

}  // namespace sluice::bench
