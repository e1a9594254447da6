// EventFd: the bell by which any thread wakes one thread out of epoll_wait. Rings coalesce: however
// many there were, the owner wakes once.
#pragma once

#include "os/fd.h"
#include "os/io_result.h"

namespace sluice::os {

class EventFd {
 public:
  // `into` is valid when the result is done.
  static IoResult create(EventFd& into);
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] int fd() const { return fd_.get(); }  // readable while it has been rung
  void ring() const;   // any thread; never blocks
  void clear() const;  // the owner, before it looks for what the ring was about

 private:
  Fd fd_;
};

}  // namespace sluice::os
