// DatagramSender: puts datagrams on the wire with as few system calls as order allows: up to 64
// messages per sendmmsg, and, where the path takes it, runs of equal-sized datagrams of one session
// as one message (UDP_SEGMENT). When a path refuses that (no checksum offload, a datagram above its
// MTU), the same datagrams go out one by one.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "os/io_result.h"
#include "udp/session.h"

namespace sluice::udp {

// A received message on its way: one datagram, or several of `segment_bytes` (see Received).
struct Piece {
  Session* session = nullptr;
  const std::byte* data = nullptr;
  uint32_t bytes = 0;
  uint32_t segment_bytes = 0;

  [[nodiscard]] uint32_t datagrams() const {
    return bytes <= segment_bytes ? 1 : (bytes + segment_bytes - 1) / segment_bytes;
  }
};

// A place in a row of pieces, at a datagram's first byte.
struct PiecePosition {
  uint32_t piece = 0;
  uint32_t offset = 0;
};

enum class Direction : uint8_t {
  to_target,  // over the session's own, connected socket
  to_client,  // over the listener's socket, to the session's client
};

// What to do about a message that could not be sent.
enum class SendVerdict : uint8_t {
  again,  // the error was an old one, reported now; the message was not tried
  skip,   // go on with the next message
  stop,   // leave this message and all after it to the caller
};

class DatagramSender {
 public:
  static constexpr uint32_t kMessagesMax = 64;
  // UDP_MAX_SEGMENTS of kernels before 6.9; later ones take 128.
  static constexpr uint32_t kSegmentsMax = 64;
  // The payload that fits an IPv4 packet: 65535 - 20 - 8. IPv6 takes 20 more.
  static constexpr uint32_t kMessageBytesMax = 65507;

  // Sends the pieces in order; they go to `fd` alone. Answers where it stopped: at the end, unless
  // the sink said so. The sink hears of every datagram exactly once:
  //   void sent(Session&, datagrams, bytes)
  //   void blocked(Session&, datagrams)           dropped: the socket's buffer is full
  //   SendVerdict failed(Session&, datagrams, error)   on `again`, asked again if it fails again
  //   void gso_refused(Session&)                  clears the session's switch; it is sent again
  //   int hidden_error()                          what a short count may have hidden, or 0
  template <typename Sys, typename Sink>
  PiecePosition send(int fd, Direction direction, std::span<const Piece> pieces, Sink& sink) {
    PiecePosition at;
    while (at.piece < pieces.size()) {
      const uint32_t count = fill(direction, pieces, at);
      uint32_t next = 0;
      while (next < count) {
        const os::IoResult result =
            Sys::sendmmsg(fd, std::span(headers_).subspan(next, count - next));
        if (result.done()) {
          for (size_t i = 0; i < result.bytes; i++, next++) {
            sink.sent(*outgoing_[next].session, outgoing_[next].datagrams, outgoing_[next].bytes);
          }
          if (next == count) break;
        }
        const Outgoing& message = outgoing_[next];
        // sendmmsg tells of an error only when it is the first message's: behind a short count it
        // has taken the error from the socket and kept it to itself.
        const int error = result.done() ? sink.hidden_error() : result.error;
        if (result.done() && error == 0) continue;
        if (result.would_block()) {
          drop_from(pieces, message.start, sink);
          return {static_cast<uint32_t>(pieces.size()), 0};
        }
        if (message.datagrams > 1 && refuses_gso(error)) {
          sink.gso_refused(*message.session);
          at = message.start;
          break;
        }
        const SendVerdict verdict = sink.failed(*message.session, message.datagrams, error);
        if (verdict == SendVerdict::stop) return message.start;
        if (verdict == SendVerdict::skip) next++;
      }
    }
    return at;
  }

 private:
  struct Outgoing {
    Session* session;
    PiecePosition start;
    uint32_t datagrams;
    uint32_t bytes;
    uint32_t first_part;
  };
  struct Control {
    alignas(
        cmsghdr) std::byte bytes[CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
  };
  static constexpr uint32_t kPartsMax = 4 * kMessagesMax;

  // Makes messages from `at` on, as many as there is room for, and moves `at` behind them.
  uint32_t fill(Direction direction, std::span<const Piece> pieces, PiecePosition& at);
  void take_run(Direction direction, std::span<const Piece> pieces, PiecePosition& at,
                Outgoing& message);
  void add_part(const std::byte* data, uint32_t bytes);
  void make_header(Direction direction, uint32_t index, uint32_t segment_bytes);

  // EIO: no checksum offload on the way out. A segment above the MTU: EINVAL, and EMSGSIZE on newer
  // kernels (seen on 6.18).
  static bool refuses_gso(int error) {
    return error == EIO || error == EINVAL || error == EMSGSIZE;
  }

  template <typename Sink>
  static void drop_from(std::span<const Piece> pieces, PiecePosition from, Sink& sink) {
    for (uint32_t i = from.piece; i < pieces.size(); i++) {
      Piece rest = pieces[i];
      if (i == from.piece) rest.bytes -= from.offset;
      sink.blocked(*rest.session, rest.datagrams());
    }
  }

  uint32_t parts_used_ = 0;
  Outgoing outgoing_[kMessagesMax] = {};
  mmsghdr headers_[kMessagesMax] = {};
  iovec parts_[kPartsMax] = {};
  sockaddr_in6 names_[kMessagesMax] = {};
  Control controls_[kMessagesMax] = {};
};

}  // namespace sluice::udp
