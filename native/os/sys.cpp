// RealSys: the kernel's own answers, in IoResult's words.
#include "os/sys.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "os/check.h"

namespace sluice::os {

namespace {

// A zero that means "end of stream" or one that only means "nothing moved".
enum class Zero : uint8_t { is_eof, is_would_block };

template <typename Call>
IoResult settle(Zero zero, Call&& call) {
  for (;;) {
    const auto moved = call();
    if (moved > 0) return IoResult::moved(static_cast<size_t>(moved));
    if (moved == 0) return zero == Zero::is_eof ? IoResult::ended() : IoResult::blocked();
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return IoResult::blocked();
    return IoResult::failure(errno);
  }
}

constexpr unsigned kSpliceFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

}  // namespace

// A request for nothing would read as "end of stream": callers never make one.
IoResult RealSys::recv(int fd, std::span<std::byte> into) {
  SLUICE_CHECK(!into.empty());
  return settle(Zero::is_eof, [&] { return ::recv(fd, into.data(), into.size(), MSG_DONTWAIT); });
}

IoResult RealSys::peek(int fd, std::span<std::byte> into) {
  SLUICE_CHECK(!into.empty());
  return settle(Zero::is_eof,
                [&] { return ::recv(fd, into.data(), into.size(), MSG_DONTWAIT | MSG_PEEK); });
}

IoResult RealSys::send(int fd, std::span<const std::byte> from) {
  SLUICE_CHECK(!from.empty());
  return settle(Zero::is_would_block,
                [&] { return ::send(fd, from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
}

IoResult RealSys::send_before_fin(int fd, std::span<const std::byte> from) {
  SLUICE_CHECK(!from.empty());
  constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE;
  return settle(Zero::is_would_block, [&] { return ::send(fd, from.data(), from.size(), kFlags); });
}

IoResult RealSys::splice_in(int socket_fd, int pipe_write_fd, size_t bytes_max) {
  SLUICE_CHECK(bytes_max > 0);
  return settle(Zero::is_eof, [&] {
    return ::splice(socket_fd, nullptr, pipe_write_fd, nullptr, bytes_max, kSpliceFlags);
  });
}

// The kernel raises SIGPIPE here when the socket is dead, and splice has no MSG_NOSIGNAL: the
// thread that calls this has SIGPIPE blocked (a blocked one just stays pending), or its process
// ignores it. Either way the caller sees EPIPE.
IoResult RealSys::splice_out(int pipe_read_fd, int socket_fd, size_t bytes_max) {
  SLUICE_CHECK(bytes_max > 0);
  return settle(Zero::is_would_block, [&] {
    return ::splice(pipe_read_fd, nullptr, socket_fd, nullptr, bytes_max, kSpliceFlags);
  });
}

IoResult RealSys::shutdown_write(int fd) {
  if (::shutdown(fd, SHUT_WR) != 0) return IoResult::failure(errno);
  return IoResult::moved(0);
}

IoResult RealSys::recvmmsg(int fd, std::span<mmsghdr> messages) {
  SLUICE_CHECK(!messages.empty());
  const auto count = static_cast<unsigned>(std::min<size_t>(messages.size(), UINT_MAX));
  return settle(Zero::is_would_block,
                [&] { return ::recvmmsg(fd, messages.data(), count, MSG_DONTWAIT, nullptr); });
}

IoResult RealSys::sendmmsg(int fd, std::span<mmsghdr> messages) {
  SLUICE_CHECK(!messages.empty());
  const auto count = static_cast<unsigned>(std::min<size_t>(messages.size(), UINT_MAX));
  return settle(Zero::is_would_block, [&] {
    return ::sendmmsg(fd, messages.data(), count, MSG_DONTWAIT | MSG_NOSIGNAL);
  });
}

}  // namespace sluice::os
