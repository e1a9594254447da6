// Non-blocking connects and what their errors mean.
#include "os/connect.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace sluice::os {

namespace {

ConnectStart failed(int error) {
  return {{ConnectState::failed, error, classify_connect_error(error)}, Fd()};
}

// 0, or the errno.
int bind_source(int fd, const Address& source) {
  if (source.port() == 0 && source.family() != AF_UNIX) {
    const int on = 1;
    // Also for an IPv6 socket, where this option has no name of its own. A kernel before 4.2 does
    // not know it; the bind then takes a port of its own and works all the same.
    static_cast<void>(::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)));
  }
  return ::bind(fd, source.get(), source.bytes()) == 0 ? 0 : errno;
}

// Until the SYN-ACK is in; from then on the kernel acknowledges as ever. Without the option there
// is one more segment and nothing else.
void hold_handshake_ack(int fd) {
  const int off = 0;
  static_cast<void>(::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off)));
}

ConnectStart connect_with(Fd fd, const Address& target) {
  for (;;) {
    if (::connect(fd.get(), target.get(), target.bytes()) == 0 || errno == EISCONN) {
      return {{ConnectState::connected, 0, ConnectFault::none}, std::move(fd)};
    }
    if (errno == EINTR) continue;
    if (errno == EINPROGRESS || errno == EALREADY) {
      return {{ConnectState::in_progress, 0, ConnectFault::none}, std::move(fd)};
    }
    // A unix target whose backlog is full answers EAGAIN and nothing will ever become ready: the
    // target does not take the connection. For IP the same number is a lack on our side.
    if (errno == EAGAIN && target.family() == AF_UNIX) {
      return {{ConnectState::failed, EAGAIN, ConnectFault::refused}, Fd()};
    }
    return failed(errno);
  }
}

}  // namespace

ConnectFault classify_connect_error(int error) {
  switch (error) {
    case 0:
      return ConnectFault::none;
    case ECONNREFUSED:
    case ENOENT:  // a unix path without a socket
      return ConnectFault::refused;
    case ETIMEDOUT:
      return ConnectFault::timed_out;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENONET:
    case ENOPROTOOPT:  // ICMP "protocol unreachable"
      return ConnectFault::unreachable;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return ConnectFault::reset;
    case EADDRNOTAVAIL:  // no free source port, or the source address is not on this machine
    case EADDRINUSE:
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EACCES:
    case EPERM:  // a local packet filter
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
      return ConnectFault::local;
    default:
      return ConnectFault::other;
  }
}

ConnectStart connect_start(const Address& target, const Address* source, const TcpOptions& tcp) {
  Fd fd(::socket(target.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return failed(errno);
  if (target.family() != AF_UNIX) {
    // An option that this kernel lacks is reported once, by features; it stops no connection.
    static_cast<void>(tcp.liveness_later ? set_nodelay(fd.get(), tcp.nodelay)
                                         : set_tcp_options(fd.get(), tcp));
    if (tcp.data_follows) hold_handshake_ack(fd.get());
    if (source != nullptr) {
      const int error = bind_source(fd.get(), *source);
      if (error != 0) return {{ConnectState::failed, error, ConnectFault::local}, Fd()};
    }
  }
  return connect_with(std::move(fd), target);
}

ConnectOutcome connect_result(int fd) {
  const int error = take_error(fd);
  if (error == 0) return {ConnectState::connected, 0, ConnectFault::none};
  return {ConnectState::failed, error, classify_connect_error(error)};
}

ConnectStart connect_udp(const Address& target, const Address* source,
                         const UdpConnectOptions& options) {
  Fd fd(::socket(target.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return failed(errno);
  set_buffers(fd.get(), options.receive_buffer_bytes, options.send_buffer_bytes);
  if (options.all_icmp_errors) {
    const int on = 1;
    const bool v6 = target.family() == AF_INET6;
    static_cast<void>(::setsockopt(fd.get(), v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                                   v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof(on)));
  }
  if (source != nullptr) {
    const int error = bind_source(fd.get(), *source);
    if (error != 0) return {{ConnectState::failed, error, ConnectFault::local}, Fd()};
  }
  return connect_with(std::move(fd), target);
}

int drain_error_queue(int fd) {
  constexpr int kReportsMax = 64;
  int last = 0;
  for (int i = 0; i < kReportsMax; i++) {
    alignas(cmsghdr) char control[512];
    msghdr message{};
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    const ssize_t received = ::recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) break;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
      const bool report = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                          (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
      if (!report) continue;
      sock_extended_err details{};
      std::memcpy(&details, CMSG_DATA(part), sizeof(details));
      last = static_cast<int>(details.ee_errno);
    }
  }
  return last;
}

}  // namespace sluice::os
