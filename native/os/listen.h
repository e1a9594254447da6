// Opening the sockets of one bound address: one per worker, exclusively ours.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "os/address.h"
#include "os/fd.h"

namespace sluice::os {

enum class Transport : uint8_t { tcp, udp };

struct ListenOptions {
  Transport transport = Transport::tcp;
  uint32_t backlog = 0;    // 0: as much as net.core.somaxconn allows
  bool ipv6_only = false;  // of the IPv6 wildcard, which otherwise takes IPv4 clients too
  uint32_t unix_mode = 0;  // permissions of the socket file; 0: what the umask gives
  uint32_t udp_receive_buffer_bytes = 4U << 20U;
  uint32_t udp_send_buffer_bytes = 4U << 20U;
  // This process holds an overlapping address with sockets of such a group (a bind that moves from
  // the wildcard to one address): be let in beside it. The address is then not checked to be ours
  // alone: another group of the same user passes too.
  bool beside_own = false;
};

struct Listeners {
  std::vector<Fd> sockets;  // `count` of them, or none on failure
  Address bound;            // a port 0 is resolved
  std::string unix_path;    // of a socket file that we made; see remove_socket_file
  int error = 0;            // errno, 0 on success
  [[nodiscard]] bool ok() const { return error == 0; }
};

// Opens `count` non-blocking listening sockets on `address`. Whoever else holds the address, or an
// overlapping one (wildcard and specific), makes this fail with EADDRINUSE, even another sluice of
// the same user: SO_REUSEPORT is switched on only after the first socket has the address for
// itself. All or nothing.
//
// IPv6 wildcard: dual stack unless ipv6_only; on a machine without IPv6 it becomes the IPv4
// wildcard. UDP: the destination address of each datagram is asked for: IP_PKTINFO on an IPv4
// socket, IPV6_PKTINFO on an IPv6 one, where an IPv4 client's destination comes v4-mapped, and
// goes back the same way (IPV6_PKTINFO when sending works for mapped destinations too).
// Unix stream: one socket, duplicated per worker. A socket file whose owner is dead is replaced, a
// living owner is EADDRINUSE, any other file stays and is ENOTSOCK.
[[nodiscard]] Listeners open_listeners(const Address& address, uint32_t count,
                                       const ListenOptions& options);

// Lets sockets of `beside_own` in beside this listening socket, also when it is the only one of its
// group.
void admit_own(int fd);

// Changes the backlog of a socket that listens already; 0 as in ListenOptions.
void set_backlog(int fd, uint32_t backlog);

// Takes a listening TCP socket out of service while it stays open: what still waits in its queue is
// reset, so it is drained first; new clients go to the other sockets of the address, or are
// refused.
void stop_listening(int fd);

// Removes the socket file at `path` if nobody listens on it: to be called after the last of its
// sockets is closed. A file that another owner has put there since stays.
void remove_socket_file(const std::string& path);

}  // namespace sluice::os
