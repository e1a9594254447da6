// Epoll: one worker's readiness queue. A token says which object an event is for; what the kinds
// mean is the worker's business.
#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>

#include "os/fd.h"
#include "os/io_result.h"

namespace sluice::os {

// An object's address (at least 8-byte aligned) with a kind of 0..7 in its low bits.
struct EpollToken {
  uint64_t bits = 0;
  template <typename T>
  [[nodiscard]] static EpollToken of(T* object, uint8_t kind) {
    static_assert(alignof(T) >= 8, "the low bits carry the kind");
    return {reinterpret_cast<uint64_t>(object) | kind};
  }
  [[nodiscard]] uint8_t kind() const { return static_cast<uint8_t>(bits & 7U); }
  template <typename T>
  [[nodiscard]] T* object() const {
    return reinterpret_cast<T*>(bits & ~uint64_t{7});
  }
};

class Epoll {
 public:
  [[nodiscard]] static Epoll create();  // valid() false when the kernel refuses
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  // `events` as for epoll_ctl. All connections register EPOLLIN|OUT|RDHUP|ET once and for all.
  IoResult add(int fd, uint32_t events, EpollToken token);
  IoResult modify(int fd, uint32_t events, EpollToken token);
  IoResult remove(int fd);
  // timeout_ms: -1 waits for ever, 0 polls. Returns the filled part of `into`; empty on timeout
  // and on EINTR.
  [[nodiscard]] std::span<const epoll_event> wait(std::span<epoll_event> into, int timeout_ms);
  [[nodiscard]] static EpollToken token(const epoll_event& event) { return {event.data.u64}; }

 private:
  Fd fd_;
};

}  // namespace sluice::os
