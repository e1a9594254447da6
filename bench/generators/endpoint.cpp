// Sockets of the bench programs.
#include "generators/endpoint.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <charconv>

#include "generators/outcome.h"

namespace sluice::bench {

sockaddr_in parse_endpoint(const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  if (colon == std::string::npos) stop("not an address and port: " + text);
  const char* end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data() + colon + 1, end, port);
  const bool known = inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) == 1;
  if (!known || error != std::errc() || stopped_at != end) stop("not an address: " + text);
  address.sin_port = htons(port);
  return address;
}

void set_option(int fd, int level, int name, int value) {
  must(setsockopt(fd, level, name, &value, sizeof(value)), "setsockopt");
}

namespace {

void bind_to(int fd, const sockaddr_in& address) {
  must(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), "bind");
}

os::Fd open_udp(int buffer_bytes) {
  os::Fd fd(must(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  // Beyond net.core.rmem_max only with CAP_NET_ADMIN; without it the kernel takes what it allows.
  for (const int name : {SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    if (setsockopt(fd.get(), SOL_SOCKET, name, &buffer_bytes, sizeof(buffer_bytes)) == 0) continue;
    set_option(fd.get(), SOL_SOCKET, name == SO_RCVBUFFORCE ? SO_RCVBUF : SO_SNDBUF, buffer_bytes);
  }
  return fd;
}

}  // namespace

os::Fd listen_tcp(const sockaddr_in& address) {
  os::Fd fd(must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  bind_to(fd.get(), address);
  must(listen(fd.get(), 65535), "listen");
  return fd;
}

os::Fd open_tcp() {
  os::Fd fd(must(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return fd;
}

os::Fd bind_udp(const sockaddr_in& address, int buffer_bytes) {
  os::Fd fd = open_udp(buffer_bytes);
  bind_to(fd.get(), address);
  return fd;
}

os::Fd connect_udp(const sockaddr_in& address, int buffer_bytes) {
  os::Fd fd = open_udp(buffer_bytes);
  must(start_connect(fd.get(), address), "connect");
  return fd;
}

int start_connect(int fd, const sockaddr_in& address) {
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  must(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt");
  return error;
}

os::Fd open_epoll() {
  return os::Fd(must(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
}

void watch(int epoll, int fd, uint32_t events, uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

}  // namespace sluice::bench
