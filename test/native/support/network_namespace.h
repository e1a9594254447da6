// A thread of its own in a network namespace of its own, with loopback up: for tests that change
// sysctls or need a network without anybody else in it. Needs root; `made` false when refused.
#pragma once

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <thread>

#include "os/fd.h"

namespace sluice::test {

// Of the calling thread's network namespace.
inline bool write_sysctl(const std::string& path, std::string_view value) {
  const os::Fd file(::open(("/proc/sys/" + path).c_str(), O_WRONLY | O_CLOEXEC));
  return file.valid() &&
         ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size());
}

inline bool bring_up_loopback() {
  const os::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

// Runs `body` there; false when the machine does not let us. Assertions inside `body` must be
// CHECKs or handed out as results: an exception may not leave a thread.
template <typename Body>
bool in_network_namespace(Body&& body) {
  bool made = false;
  std::thread thread([&made, &body] {
    made = ::unshare(CLONE_NEWNET) == 0 && bring_up_loopback();
    if (made) body();
  });
  thread.join();
  return made;
}

}  // namespace sluice::test
