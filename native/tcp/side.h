// Side: one socket of a connection, and what edge-triggered epoll has told about it. An event is
// never repeated, so what it said is kept here until a system call disproves it.
#pragma once

#include <sys/epoll.h>

#include <cstdint>

#include "os/fd.h"

namespace sluice::tcp {

// What every connection's socket is registered with, once and for all. EPOLLPRI is there because
// recv() stops at an urgent byte: a read that ends there is short although more may be waiting.
inline constexpr uint32_t kSideEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

struct Side {
  os::Fd fd;
  // The errno of the first failed write, unless that was EPIPE: the kernel reports a reset once,
  // and when a write has met it, a read ends with 0 as after a FIN. EPIPE comes first only when
  // the FIN had come before the reset; then that 0 is the truth.
  int16_t write_error = 0;
  bool readable = false;
  bool writable = false;
  // The end, an error or an urgent byte may lie behind the data: only a read that would block
  // proves that nothing is left. So it always is on a unix socket, where a read also ends behind
  // bytes that a descriptor came with.
  bool read_to_end = false;
  // An urgent byte has been seen. splice would stop at it for good.
  bool urgent = false;
  // The FIN is in, and with it everything before it: a read that empties the socket brings the
  // last bytes.
  bool fin_received = false;

  // EPOLLRDHUP, EPOLLHUP and EPOLLERR are hints to go and read: what was received before a reset
  // or a FIN is still there and is delivered first.
  void note(uint32_t events) {
    constexpr uint32_t kEnding = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    if ((events & EPOLLPRI) != 0) urgent = true;
    if ((events & kEnding) == EPOLLRDHUP) fin_received = true;
    if ((events & (kEnding | EPOLLPRI)) != 0) read_to_end = true;
    if ((events & (kEnding | EPOLLPRI | EPOLLIN)) != 0) readable = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable = true;
  }
};

}  // namespace sluice::tcp
