// Sockets of the bench programs, IPv4 only. Whatever fails here ends the program, for a generator
// that goes on with fewer sockets than asked for measures something else.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

#include "os/fd.h"

namespace sluice::bench {

// "10.0.0.1:80"; ends the program when it is anything else.
[[nodiscard]] sockaddr_in parse_endpoint(const std::string& text);

// Non-blocking, with SO_REUSEADDR and the longest backlog that the kernel allows.
[[nodiscard]] os::Fd listen_tcp(const sockaddr_in& address);
// Non-blocking, with TCP_NODELAY.
[[nodiscard]] os::Fd open_tcp();
// Non-blocking, bound, with `buffer_bytes` of send and receive buffer where the kernel allows it.
[[nodiscard]] os::Fd bind_udp(const sockaddr_in& address, int buffer_bytes);
[[nodiscard]] os::Fd connect_udp(const sockaddr_in& address, int buffer_bytes);

void set_option(int fd, int level, int name, int value);
// ::connect with the cast; the result and errno are the caller's.
[[nodiscard]] int start_connect(int fd, const sockaddr_in& address);
// The pending error of a socket (SO_ERROR), 0 when none.
[[nodiscard]] int pending_error(int fd);

[[nodiscard]] os::Fd open_epoll();
// Registers `fd` with `tag` as its data.
void watch(int epoll, int fd, uint32_t events, uint64_t tag);

}  // namespace sluice::bench
