// What every part does to a socket that it holds: options, aborting, asking.
#pragma once

#include <cstddef>
#include <cstdint>

#include "os/address.h"
#include "os/fd.h"
#include "os/io_result.h"

namespace sluice::os {

// How a TCP socket is set up. 0 leaves the kernel's default.
struct TcpOptions {
  bool nodelay = true;
  uint32_t user_timeout_ms = 0;
  uint32_t keepalive_idle_s = 0;  // 0: no keep-alive, whatever the next two say
  uint32_t keepalive_interval_s = 0;
  uint32_t keepalive_count = 0;
  // Connecting: the first bytes to send are there already, so the handshake's last ACK waits for
  // them (TCP_QUICKACK off until then) instead of taking a segment of its own.
  bool data_follows = false;
  // Connecting: set_liveness() is the caller's to call, once the connection has lived for a while.
  bool liveness_later = false;
};

// On a listening socket the options hold for every connection accepted from it later: Linux copies
// them, so that accepting costs no further system call. All are tried; the first error is told.
IoResult set_tcp_options(int fd, const TcpOptions& options);

// The part that finds a peer which vanished: TCP_USER_TIMEOUT and keep-alive.
IoResult set_liveness(int fd, const TcpOptions& options);
IoResult set_nodelay(int fd, bool on);
IoResult set_user_timeout(int fd, uint32_t timeout_ms);
// Asks for buffers of this size; a privileged process may pass net.core.rmem_max and wmem_max, any
// other gets at most those. 0 leaves the kernel's default.
void set_buffers(int fd, uint32_t receive_bytes, uint32_t send_bytes);

// Closes with RST, so that the other end sees an abort and never a clean end of a cut stream.
void abort_connection(Fd fd);

// Bytes received and not yet read. Closing then would make the kernel send RST and throw away what
// we had sent (techniques.md, pitfall 7).
[[nodiscard]] size_t unread_bytes(int fd);
// Bytes (and the FIN) written and not yet acknowledged; on a unix socket, not yet read. 0 also for
// a socket that is gone: nothing is underway on it.
[[nodiscard]] size_t unacknowledged_bytes(int fd);

// The error that waits on the socket, which this takes away; 0 when none.
[[nodiscard]] int take_error(int fd);

enum class FarEnd : uint8_t {
  none,    // not connected, or not any more
  itself,  // TCP's simultaneous open, when the kernel chose the port that was connected to
  other,
};
[[nodiscard]] FarEnd far_end(int fd);

[[nodiscard]] Address local_address(int fd);
[[nodiscard]] Address remote_address(int fd);

}  // namespace sluice::os
