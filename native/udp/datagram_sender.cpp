// DatagramSender: pieces into messages: where a run of equal datagrams begins and ends, and what
// the message's header says.
#include "udp/datagram_sender.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cstring>

#include "udp/udp_listener.h"

namespace sluice::udp {

namespace {

constexpr size_t kMappedPrefixBytes = 12;

// Whether `next` may follow in a message whose segments are `segment_bytes` long.
bool continues(const Piece& next, const Session* session, uint32_t segment_bytes) {
  if (next.session != session || next.bytes == 0) return false;
  return next.bytes <= next.segment_bytes ? next.bytes <= segment_bytes
                                          : next.segment_bytes == segment_bytes;
}

void advance(const Piece& piece, uint32_t bytes, PiecePosition& at) {
  at.offset += bytes;
  if (at.offset >= piece.bytes) at = {at.piece + 1, 0};
}

template <typename T>
cmsghdr* append_control(msghdr& header, int level, int type, const T& value) {
  auto* control = reinterpret_cast<cmsghdr*>(static_cast<std::byte*>(header.msg_control) +
                                             header.msg_controllen);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof(T));
  std::memcpy(CMSG_DATA(control), &value, sizeof(T));
  header.msg_controllen += CMSG_SPACE(sizeof(T));
  return control;
}

socklen_t write_client(const Session& session, sockaddr_in6& into) {
  const SessionKey& key = session.key;
  if (session.socket->family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(key.client_port);
    std::memcpy(&v4.sin_addr, key.client_ip + kMappedPrefixBytes, sizeof(v4.sin_addr));
    std::memcpy(&into, &v4, sizeof(v4));
    return sizeof(v4);
  }
  into = {};
  into.sin6_family = AF_INET6;
  into.sin6_port = htons(key.client_port);
  into.sin6_scope_id = key.scope_id;
  std::memcpy(&into.sin6_addr, key.client_ip, sizeof(into.sin6_addr));
  return sizeof(into);
}

// The reply leaves from where the client had sent to; only a wildcard bind leaves a choice.
void append_source(const Session& session, msghdr& header) {
  const SessionKey& key = session.key;
  if (session.socket->family == AF_INET) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, key.local_ip + kMappedPrefixBytes, sizeof(info.ipi_spec_dst));
    append_control(header, IPPROTO_IP, IP_PKTINFO, info);
    return;
  }
  in6_pktinfo info{};
  std::memcpy(&info.ipi6_addr, key.local_ip, sizeof(info.ipi6_addr));
  // A link-local source is one only together with its interface: that of the client.
  info.ipi6_ifindex = key.scope_id;
  append_control(header, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

}  // namespace

void DatagramSender::add_part(const std::byte* data, uint32_t bytes) {
  // sendmmsg only reads, its iovec cannot say so.
  parts_[parts_used_++] = {const_cast<std::byte*>(data), bytes};
}

// One datagram, or the longest run that the kernel takes as one message.
void DatagramSender::take_run(Direction direction, std::span<const Piece> pieces, PiecePosition& at,
                              Outgoing& message) {
  const Piece& first = pieces[at.piece];
  const uint32_t segment_bytes = first.segment_bytes;
  const bool gso =
      segment_bytes > 0 && (direction == Direction::to_target ? first.session->gso_to_target
                                                              : first.session->gso_to_client);
  const uint32_t datagrams_max =
      gso ? std::clamp(kMessageBytesMax / segment_bytes, 1U, kSegmentsMax) : 1;
  for (;;) {
    const Piece& piece = pieces[at.piece];
    const uint32_t room_bytes = (datagrams_max - message.datagrams) * segment_bytes;
    const uint32_t bytes = std::min(piece.bytes - at.offset, room_bytes);
    add_part(piece.data + at.offset, bytes);
    message.bytes += bytes;
    message.datagrams += bytes <= segment_bytes ? 1 : (bytes + segment_bytes - 1) / segment_bytes;
    advance(piece, bytes, at);
    const bool last_was_short = segment_bytes == 0 || bytes % segment_bytes != 0;
    if (last_was_short || message.datagrams == datagrams_max) return;
    if (at.piece == pieces.size() || parts_used_ == kPartsMax) return;
    if (at.offset == 0 && !continues(pieces[at.piece], first.session, segment_bytes)) return;
  }
}

uint32_t DatagramSender::fill(Direction direction, std::span<const Piece> pieces,
                              PiecePosition& at) {
  uint32_t count = 0;
  parts_used_ = 0;
  while (at.piece < pieces.size() && count < kMessagesMax && parts_used_ < kPartsMax) {
    const Piece& first = pieces[at.piece];
    outgoing_[count] = {first.session, at, 0, 0, parts_used_};
    take_run(direction, pieces, at, outgoing_[count]);
    make_header(direction, count, first.segment_bytes);
    count++;
  }
  return count;
}

void DatagramSender::make_header(Direction direction, uint32_t index, uint32_t segment_bytes) {
  const Outgoing& message = outgoing_[index];
  msghdr& header = headers_[index].msg_hdr;
  header = {};
  header.msg_iov = parts_ + message.first_part;
  header.msg_iovlen = parts_used_ - message.first_part;
  header.msg_control = controls_[index].bytes;
  if (direction == Direction::to_client) {
    header.msg_name = names_ + index;
    header.msg_namelen = write_client(*message.session, names_[index]);
    if (message.session->socket->wildcard) append_source(*message.session, header);
  }
  if (message.datagrams > 1) {
    append_control(header, SOL_UDP, UDP_SEGMENT, static_cast<uint16_t>(segment_bytes));
  }
}

}  // namespace sluice::udp
