// Peer: one end of a TCP connection in a test, well or badly behaved. Blocking, with a deadline on
// every call, so that a stall is a failed check and not a hanging test. What it sends are numbered
// words of its own stream, so that a lost, doubled, moved or foreign byte is seen where it is.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "os/address.h"
#include "os/fd.h"
#include "support/loopback.h"

namespace sluice::test {

enum class Ending : uint8_t { none, eof, reset, timeout, other };

struct Received {
  uint64_t bytes = 0;
  Ending ending = Ending::none;
  // Index of the first byte that is not the stream's; nullopt when all are.
  std::optional<uint64_t> wrong_at;
};

struct Buffers {
  int receive_bytes = 0;  // 0: the kernel's default
  int send_bytes = 0;
};

// Byte `position` of stream `id`: 8-byte words that carry the stream and their place in it.
inline void fill_stream(uint32_t id, uint64_t position, std::span<std::byte> into) {
  for (size_t i = 0; i < into.size();) {
    const uint64_t place = position + i;
    const uint64_t word = (uint64_t{id} << 40U) ^ (place / 8) * 0x9e3779b97f4a7c15U;
    const size_t skip = place % 8;
    const size_t part = std::min<size_t>(8 - skip, into.size() - i);
    std::memcpy(into.data() + i, reinterpret_cast<const char*>(&word) + skip, part);
    i += part;
  }
}

class Peer {
 public:
  Peer() = default;
  explicit Peer(os::Fd fd) : fd_(std::move(fd)) {
    const timeval limit{30, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    set_blocking();
  }
  static Peer connect(const os::Address& to, const Buffers& buffers = {}) {
    os::Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    set_buffers(fd.get(), buffers);
    REQUIRE(::connect(fd.get(), to.get(), to.bytes()) == 0);
    return Peer(std::move(fd));
  }

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool valid() const { return fd_.valid(); }

  // The next bytes of stream `id`; how many were sent before an error or the deadline.
  uint64_t send(uint32_t id, uint64_t count) {
    std::vector<std::byte> chunk(std::min<uint64_t>(count, 256 * 1024));
    uint64_t done = 0;
    while (done < count) {
      const auto part = std::min<uint64_t>(chunk.size(), count - done);
      fill_stream(id, sent_, std::span(chunk).first(part));
      const ssize_t moved = ::send(fd_.get(), chunk.data(), part, MSG_NOSIGNAL);
      if (moved <= 0) {
        note_send_error(errno);
        return done;
      }
      done += static_cast<uint64_t>(moved);
      sent_ += static_cast<uint64_t>(moved);
    }
    return done;
  }
  // Up to `count` bytes of stream `id`, or until it ends.
  Received receive(uint32_t id, uint64_t count = UINT64_MAX, size_t chunk_bytes = 256 * 1024) {
    Received out;
    std::vector<std::byte> chunk(chunk_bytes);
    std::vector<std::byte> expected(chunk_bytes);
    while (out.bytes < count) {
      const auto wanted = std::min<uint64_t>(chunk.size(), count - out.bytes);
      const ssize_t got = ::recv(fd_.get(), chunk.data(), wanted, 0);
      if (got <= 0) {
        out.ending = got == 0 ? Ending::eof : ending_of(errno);
        return out;
      }
      const auto part = std::span(expected).first(static_cast<size_t>(got));
      fill_stream(id, received_, part);
      const auto differs = std::mismatch(part.begin(), part.end(), chunk.begin());
      if (differs.first != part.end() && !out.wrong_at.has_value()) {
        out.wrong_at = received_ + static_cast<uint64_t>(differs.first - part.begin());
      }
      received_ += static_cast<uint64_t>(got);
      out.bytes += static_cast<uint64_t>(got);
    }
    return out;
  }
  // What send meets: the errno, or 0 while it still works.
  int try_send(size_t count) {
    const std::vector<std::byte> bytes(count);
    if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0) return 0;
    const int error = errno;
    note_send_error(error);
    return error;
  }
  // How the stream ended, once nobody sends any more: the kernel tells a reset once, and when a
  // send of ours has met it, the receive saw a mere end.
  [[nodiscard]] Ending settled(Ending seen) const {
    return seen == Ending::eof && met_reset_ ? Ending::reset : seen;
  }
  void finish() { REQUIRE(::shutdown(fd_.get(), SHUT_WR) == 0); }
  void reset() { os::abort_connection(std::move(fd_)); }
  void close() { fd_.reset(); }
  [[nodiscard]] uint64_t sent() const { return sent_; }
  [[nodiscard]] uint64_t received() const { return received_; }

  static void set_buffers(int fd, const Buffers& buffers) {
    if (buffers.receive_bytes > 0) {
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffers.receive_bytes, sizeof(int));
    }
    if (buffers.send_bytes > 0) {
      ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffers.send_bytes, sizeof(int));
    }
  }

 private:
  static Ending ending_of(int error) {
    if (error == ECONNRESET) return Ending::reset;
    return error == EAGAIN ? Ending::timeout : Ending::other;
  }
  void set_blocking() {
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    ::fcntl(fd_.get(), F_SETFL, flags & ~O_NONBLOCK);
  }

  void note_send_error(int error) {
    if (error == ECONNRESET) met_reset_ = true;
  }

  os::Fd fd_;
  uint64_t sent_ = 0;
  uint64_t received_ = 0;
  bool met_reset_ = false;  // by the sending thread
};

// A target's listening socket.
class PeerListener {
  static constexpr int kRefuses = -1;

 public:
  explicit PeerListener(const os::Address& at = v4(0), const Buffers& buffers = {},
                        int backlog = 4096) {
    fd_ = os::Fd(::socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    Peer::set_buffers(fd_.get(), buffers);
    REQUIRE(::bind(fd_.get(), at.get(), at.bytes()) == 0);
    if (backlog != kRefuses) REQUIRE(::listen(fd_.get(), backlog) == 0);
  }
  [[nodiscard]] os::Address address() const { return os::local_address(fd_.get()); }
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Its clients are refused until it listens.
  static PeerListener bound_only() { return PeerListener(v4(0), {}, kRefuses); }
  void listen() { REQUIRE(::listen(fd_.get(), 4096) == 0); }
  Peer accept() { return Peer(accept_from(fd_.get())); }
  void close() { fd_.reset(); }

 private:
  os::Fd fd_;
};

}  // namespace sluice::test
