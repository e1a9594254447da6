// Doorbell: an eventfd that wakes one thread out of its epoll_wait. Any number of rings before it
// is answered are one. Aligned so that its address can be an EpollToken.
#pragma once

#include "os/fd.h"

namespace sluice::os {

class alignas(8) Doorbell {
 public:
  // valid() false when the kernel refuses.
  [[nodiscard]] static Doorbell create();
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] int fd() const { return fd_.get(); }  // readable while it rings
  // From any thread; never blocks.
  void ring() const;
  // By the woken thread, before it looks at what it was woken for; otherwise a ring in between
  // would be lost.
  void answer() const;

 private:
  Fd fd_;
};

}  // namespace sluice::os
