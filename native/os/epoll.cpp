// epoll_create1, epoll_ctl and epoll_wait with their errors settled.
#include "os/epoll.h"

#include <cerrno>
#include <climits>

namespace sluice::os {

namespace {

IoResult control(int epoll_fd, int operation, int fd, uint32_t events, EpollToken token) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = token.bits;
  if (::epoll_ctl(epoll_fd, operation, fd, &event) != 0) return IoResult::failure(errno);
  return IoResult::moved(0);
}

}  // namespace

Epoll Epoll::create() {
  Epoll epoll;
  epoll.fd_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  return epoll;
}

IoResult Epoll::add(int fd, uint32_t events, EpollToken token) {
  return control(fd_.get(), EPOLL_CTL_ADD, fd, events, token);
}

IoResult Epoll::modify(int fd, uint32_t events, EpollToken token) {
  return control(fd_.get(), EPOLL_CTL_MOD, fd, events, token);
}

IoResult Epoll::remove(int fd) {
  return control(fd_.get(), EPOLL_CTL_DEL, fd, 0, {});
}

std::span<const epoll_event> Epoll::wait(std::span<epoll_event> into, int timeout_ms) {
  const int events_max = into.size() > INT_MAX ? INT_MAX : static_cast<int>(into.size());
  const int count = ::epoll_wait(fd_.get(), into.data(), events_max, timeout_ms);
  // Negative is EINTR here: the descriptor is ours and valid, the buffer too.
  if (count < 0) return {};
  return into.first(static_cast<size_t>(count));
}

}  // namespace sluice::os
