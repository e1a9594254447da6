// Connecting without blocking: TCP and unix streams to targets, and connected UDP sockets.
#pragma once

#include <cstdint>

#include "os/address.h"
#include "os/fd.h"
#include "os/socket.h"

namespace sluice::os {

// Whose fault a failed connect is. The values are those of shared::ConnectFailure (os may not know
// that room; engine and tcp hold the two equal).
enum class ConnectFault : uint16_t {
  none = 0,
  refused = 1,      // somebody answered, and nobody listens there
  timed_out = 2,    // nobody answered
  unreachable = 3,  // the network says that there is no way
  reset = 4,
  // Ours: no source port (EADDRNOTAVAIL), no descriptor, no memory, not permitted. Never held
  // against the target.
  local = 5,
  other = 6,
};

enum class ConnectState : uint8_t { connected, in_progress, failed };

struct ConnectOutcome {
  ConnectState state = ConnectState::failed;
  int error = 0;
  ConnectFault fault = ConnectFault::none;
};

struct ConnectStart {
  ConnectOutcome outcome;
  Fd fd;  // valid unless failed
};

[[nodiscard]] ConnectFault classify_connect_error(int error);

// Starts to connect a new non-blocking stream socket. `source` may be nullptr: the kernel chooses.
// With a source of port 0 the port is chosen by connect() (IP_BIND_ADDRESS_NO_PORT), so that the
// same port serves towards different targets and the range is not used up once for all of them.
// `tcp` is not looked at for a unix target.
[[nodiscard]] ConnectStart connect_start(const Address& target, const Address* source,
                                         const TcpOptions& tcp);

// How it ended; to be asked when epoll says EPOLLOUT, EPOLLERR or EPOLLHUP.
[[nodiscard]] ConnectOutcome connect_result(int fd);

struct UdpConnectOptions {
  uint32_t receive_buffer_bytes = 0;  // 0: the kernel's default
  uint32_t send_buffer_bytes = 0;
  // Report host and network unreachable too, not only a refused port (IP_RECVERR). Each report
  // then waits in the error queue, too: see drain_error_queue.
  bool all_icmp_errors = false;
};

// A UDP socket that only exchanges datagrams with `target`; connected at once or failed.
[[nodiscard]] ConnectStart connect_udp(const Address& target, const Address* source,
                                       const UdpConnectOptions& options);

// Empties the error queue, without which EPOLLERR would come again and again; answers the errno of
// the last ICMP error in it, 0 when there was none. Bounded: the rest stays for the next turn.
[[nodiscard]] int drain_error_queue(int fd);

}  // namespace sluice::os
