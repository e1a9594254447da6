// RealSys: the system calls of the byte path. Pumps, connectors and the UDP code take them as one
// template parameter `Sys`, so that a test can instantiate the same code over a scripted kernel
// (EAGAIN, short, EINTR, ENOBUFS by script or seed) without a virtual call in the product.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <span>

#include "os/io_result.h"

namespace sluice::os {

struct RealSys {
  // Stream sockets. recv: eof on FIN. send: MSG_NOSIGNAL, may move fewer bytes than given.
  static IoResult recv(int fd, std::span<std::byte> into);
  // As recv, and the bytes stay: for a direction that must not take what it cannot hand on.
  static IoResult peek(int fd, std::span<std::byte> into);
  static IoResult send(int fd, std::span<const std::byte> from);
  // As send, for bytes that shutdown_write() or close() follows at once: they wait for the FIN and
  // leave in one segment with it (MSG_MORE).
  static IoResult send_before_fin(int fd, std::span<const std::byte> from);
  // Socket to pipe and pipe to socket; both non-blocking. Socket to pipe: `would_block` means
  // "socket dry OR pipe full": the caller counts the bytes in its pipe to tell which.
  static IoResult splice_in(int socket_fd, int pipe_write_fd, size_t bytes_max);
  static IoResult splice_out(int pipe_read_fd, int socket_fd, size_t bytes_max);
  // Half-close and abort.
  static IoResult shutdown_write(int fd);
  // Datagrams. `bytes` of the result counts messages, not bytes.
  static IoResult recvmmsg(int fd, std::span<mmsghdr> messages);
  static IoResult sendmmsg(int fd, std::span<mmsghdr> messages);
};

}  // namespace sluice::os
