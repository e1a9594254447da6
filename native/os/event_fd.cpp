// The eventfd behind EventFd.
#include "os/event_fd.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace sluice::os {

IoResult EventFd::create(EventFd& into) {
  into.fd_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  return into.fd_.valid() ? IoResult::moved(0) : IoResult::failure(errno);
}

void EventFd::ring() const {
  const uint64_t one = 1;
  // EAGAIN: the counter is at its top, so the owner has a wake-up pending anyway.
  while (::write(fd_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void EventFd::clear() const {
  uint64_t rings = 0;
  // EAGAIN: it had not been rung.
  while (::read(fd_.get(), &rings, sizeof rings) < 0 && errno == EINTR) {
  }
}

}  // namespace sluice::os
