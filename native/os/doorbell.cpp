// eventfd with its corner cases settled.
#include "os/doorbell.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace sluice::os {

Doorbell Doorbell::create() {
  Doorbell bell;
  bell.fd_ = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  return bell;
}

void Doorbell::ring() const {
  const uint64_t one = 1;
  // EAGAIN would mean 2^64-1 unanswered rings: it rings already.
  while (::write(fd_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

void Doorbell::answer() const {
  uint64_t rings = 0;
  while (::read(fd_.get(), &rings, sizeof(rings)) < 0 && errno == EINTR) {
  }
}

}  // namespace sluice::os
