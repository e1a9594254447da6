// DatagramBatch: buffers and headers for recvmmsg, and its control messages read.
#include "udp/datagram_batch.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

namespace sluice::udp {

namespace {

constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// The value of a control message; false when it is not long enough to hold one.
template <typename T>
bool read_value(const cmsghdr& message, T& into) {
  if (message.cmsg_len < CMSG_LEN(sizeof(T))) return false;
  std::memcpy(&into, CMSG_DATA(&message), sizeof(T));
  return true;
}

// CMSG_NXTHDR takes a mutable msghdr although it only reads.
template <typename Visit>
void for_each_control(const msghdr& header, Visit&& visit) {
  auto& readable = const_cast<msghdr&>(header);
  for (cmsghdr* message = CMSG_FIRSTHDR(&readable); message != nullptr;
       message = CMSG_NXTHDR(&readable, message)) {
    visit(*message);
  }
}

}  // namespace

DatagramBatch::DatagramBatch(uint32_t size, Names names)
    : size_(std::clamp<uint32_t>(size, 1, kDatagramBatchMax)),
      names_mode_(names),
      buffers_(
          std::make_unique_for_overwrite<std::byte[]>(size_ * (kBufferBytes + kStaggerBytes))) {
  for (uint32_t i = 0; i < size_; i++) {
    parts_[i] = {buffers_.get() + i * (kBufferBytes + kStaggerBytes), kBufferBytes};
    msghdr& header = headers_[i].msg_hdr;
    header.msg_iov = &parts_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes;
    if (names == Names::senders) header.msg_name = &names_[i];
  }
}

// recvmmsg writes lengths over the capacities it was given.
std::span<mmsghdr> DatagramBatch::prepare(uint32_t first) {
  const std::span<mmsghdr> open(headers_ + first, size_ - first);
  for (mmsghdr& message : open) {
    message.msg_hdr.msg_namelen = names_mode_ == Names::senders ? sizeof(sockaddr_in6) : 0;
    message.msg_hdr.msg_controllen = kControlBytes;
    message.msg_hdr.msg_flags = 0;
  }
  return open;
}

Received DatagramBatch::received(uint32_t index) const {
  const mmsghdr& message = headers_[index];
  Received result;
  result.data = static_cast<const std::byte*>(parts_[index].iov_base);
  result.bytes = message.msg_len;
  result.segment_bytes = message.msg_len;
  result.truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
  for_each_control(message.msg_hdr, [&](const cmsghdr& control) {
    int segment_bytes = 0;
    if (control.cmsg_level == SOL_UDP && control.cmsg_type == UDP_GRO &&
        read_value(control, segment_bytes) && segment_bytes > 0) {
      result.segment_bytes = std::min(result.bytes, static_cast<uint32_t>(segment_bytes));
    }
  });
  return result;
}

os::ClientAddress DatagramBatch::sender(uint32_t index) const {
  return os::ClientAddress::from(reinterpret_cast<const sockaddr*>(&names_[index]),
                                 headers_[index].msg_hdr.msg_namelen);
}

bool DatagramBatch::read_local_ip(uint32_t index, std::span<uint8_t, 16> into) const {
  bool found = false;
  for_each_control(headers_[index].msg_hdr, [&](const cmsghdr& control) {
    if (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      if (!read_value(control, info)) return;
      std::memcpy(into.data(), &info.ipi6_addr, into.size());
      found = true;
    } else if (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      if (!read_value(control, info)) return;
      // ipi_spec_dst, not ipi_addr: for a broadcast it is the address of ours to answer from.
      std::memcpy(into.data(), kMappedPrefix, sizeof(kMappedPrefix));
      std::memcpy(into.data() + sizeof(kMappedPrefix), &info.ipi_spec_dst, sizeof(in_addr));
      found = true;
    }
  });
  return found;
}

}  // namespace sluice::udp
