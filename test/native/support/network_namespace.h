// in_network_namespace: runs a test's body on a thread of its own in a fresh network namespace with
// the loopback up, where sysctls and links may be changed without touching the machine.
#pragma once

#include <doctest/doctest.h>
#include <linux/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <thread>

#include "os/fd.h"

namespace sluice::test {

// Only for the calling thread's namespace.
inline void set_loopback(bool up) {
  const os::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof(request.ifr_name) - 1);
  CHECK(::ioctl(fd.get(), SIOCGIFFLAGS, &request) == 0);
  const auto flag = static_cast<short>(IFF_UP);
  request.ifr_flags = static_cast<short>(up ? request.ifr_flags | flag : request.ifr_flags & ~flag);
  CHECK(::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0);
}

inline void write_sysctl(const char* path, const char* value) {
  std::FILE* file = std::fopen(path, "we");
  CHECK(file != nullptr);
  if (file == nullptr) return;
  CHECK(std::fputs(value, file) >= 0);
  CHECK(std::fclose(file) == 0);
}

// Says so, and passes, where the kernel does not let us make one.
inline void in_network_namespace(const std::function<void()>& body) {
  std::thread thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      MESSAGE("skipped: no right to make a network namespace");
      return;
    }
    set_loopback(true);
    try {
      body();
    } catch (...) {
      // A REQUIRE has reported and ended the body; a thread must not end with an exception.
    }
  });
  thread.join();
}

}  // namespace sluice::test
