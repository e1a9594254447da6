// accept4 and the meaning of its many errors.
#include "os/accept.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "os/socket.h"

namespace sluice::os {

namespace {

AcceptStatus classify(int error) {
  switch (error) {
    case EAGAIN:
      return AcceptStatus::would_block;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return AcceptStatus::out_of_descriptors;
    // accept(2): Linux hands on pending network errors of the new socket as its own, and says to
    // treat them like EAGAIN by retrying. EPERM is a packet filter.
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EOPNOTSUPP:
    case ETIMEDOUT:
    case EPERM:
      return AcceptStatus::transient;
    default:
      return AcceptStatus::failed;
  }
}

}  // namespace

AcceptResult accept_connection(int listener_fd) {
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  for (;;) {
    socklen_t bytes = sizeof(storage);
    const int fd = ::accept4(listener_fd, address, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      const auto given = std::min<socklen_t>(bytes, sizeof(storage));
      return {AcceptStatus::accepted, 0, Fd(fd), ClientAddress::from(address, given)};
    }
    if (errno != EINTR) return {classify(errno), errno, Fd(), ClientAddress()};
  }
}

ReserveDescriptor::ReserveDescriptor() {
  restore();
}

void ReserveDescriptor::restore() {
  if (!reserve_.valid()) reserve_ = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

bool ReserveDescriptor::refuse_one(int listener_fd) {
  reserve_.reset();
  AcceptResult result = accept_connection(listener_fd);
  const bool refused = result.status == AcceptStatus::accepted;
  if (refused) abort_connection(std::move(result.fd));
  restore();
  return refused;
}

bool ReserveDescriptor::has_room_for_connection() {
  restore();
  if (!held()) return false;
  const Fd client(::fcntl(reserve_.get(), F_DUPFD_CLOEXEC, 0));
  const Fd target(::fcntl(reserve_.get(), F_DUPFD_CLOEXEC, 0));
  return client.valid() && target.valid();
}

}  // namespace sluice::os
