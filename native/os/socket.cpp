// Socket options and questions.
#include "os/socket.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace sluice::os {

namespace {

IoResult set_int(int fd, int level, int option, int value) {
  if (::setsockopt(fd, level, option, &value, sizeof(value)) != 0) return IoResult::failure(errno);
  return IoResult::moved(0);
}

int as_int(uint32_t value) {
  return static_cast<int>(std::min<uint32_t>(value, INT_MAX));
}

Address name_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof(storage);
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (ask(fd, address, &bytes) != 0) return {};
  return Address::from(address, std::min<socklen_t>(bytes, sizeof(storage)));
}

}  // namespace

IoResult set_tcp_options(int fd, const TcpOptions& options) {
  const IoResult nodelay = set_nodelay(fd, options.nodelay);
  const IoResult liveness = set_liveness(fd, options);
  return nodelay.failed() ? nodelay : liveness;
}

IoResult set_liveness(int fd, const TcpOptions& options) {
  IoResult first = IoResult::moved(0);
  const auto note = [&first](IoResult result) {
    if (result.failed() && !first.failed()) first = result;
  };
  if (options.user_timeout_ms > 0) note(set_user_timeout(fd, options.user_timeout_ms));
  note(set_int(fd, SOL_SOCKET, SO_KEEPALIVE, options.keepalive_idle_s > 0 ? 1 : 0));
  if (options.keepalive_idle_s == 0) return first;
  note(set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, as_int(options.keepalive_idle_s)));
  if (options.keepalive_interval_s > 0) {
    note(set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, as_int(options.keepalive_interval_s)));
  }
  if (options.keepalive_count > 0) {
    note(set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, as_int(options.keepalive_count)));
  }
  return first;
}

IoResult set_nodelay(int fd, bool on) {
  return set_int(fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

IoResult set_user_timeout(int fd, uint32_t timeout_ms) {
  return set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, as_int(timeout_ms));
}

void set_buffers(int fd, uint32_t receive_bytes, uint32_t send_bytes) {
  // Best effort by design: the kernel's limits decide, and a smaller buffer still works.
  if (receive_bytes > 0 &&
      set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, as_int(receive_bytes)).failed()) {
    static_cast<void>(set_int(fd, SOL_SOCKET, SO_RCVBUF, as_int(receive_bytes)));
  }
  if (send_bytes > 0 && set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, as_int(send_bytes)).failed()) {
    static_cast<void>(set_int(fd, SOL_SOCKET, SO_SNDBUF, as_int(send_bytes)));
  }
}

void abort_connection(Fd fd) {
  const linger now{1, 0};
  // A socket that refuses this (unix) has no RST to send either.
  static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
  fd.reset();
}

size_t unread_bytes(int fd) {
  int bytes = 0;
  if (::ioctl(fd, SIOCINQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<size_t>(bytes);
}

size_t unacknowledged_bytes(int fd) {
  int bytes = 0;
  if (::ioctl(fd, SIOCOUTQ, &bytes) != 0 || bytes <= 0) return 0;
  // A socket that was reset has thrown its queue away, but goes on counting what was in it.
  uint8_t state = 0;  // tcp_info::tcpi_state, its first byte
  socklen_t state_bytes = sizeof(state);
  const bool is_tcp = ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &state_bytes) == 0;
  return is_tcp && state == TCP_CLOSE ? 0 : static_cast<size_t>(bytes);
}

int take_error(int fd) {
  int error = 0;
  socklen_t bytes = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) return errno;
  return error;
}

FarEnd far_end(int fd) {
  const Address remote = remote_address(fd);
  if (remote.bytes() == 0) return FarEnd::none;
  return local_address(fd) == remote ? FarEnd::itself : FarEnd::other;
}

Address local_address(int fd) {
  return name_of(fd, ::getsockname);
}
Address remote_address(int fd) {
  return name_of(fd, ::getpeername);
}

}  // namespace sluice::os
