// NetworkNamespace: a network of the test's own, entered by the calling thread alone. Needs
// CAP_SYS_ADMIN, and iproute2 for wiring.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "os/fd.h"

namespace sluice::test {

class NetworkNamespace {
 public:
  NetworkNamespace() {
    const os::Fd home = current();
    if (::unshare(CLONE_NEWNET) != 0) return;
    fd_ = current();
    REQUIRE(::setns(home.get(), CLONE_NEWNET) == 0);
  }
  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get());
  }

  // The thread is inside while this lives. Sockets stay in the namespace they were made in.
  class Inside {
   public:
    explicit Inside(const NetworkNamespace& where) : home_(current()) {
      REQUIRE(::setns(where.fd_.get(), CLONE_NEWNET) == 0);
    }
    ~Inside() { static_cast<void>(::setns(home_.get(), CLONE_NEWNET)); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    os::Fd home_;
  };

  void run(const std::string& command) const {
    const Inside inside(*this);
    CAPTURE(command);
    REQUIRE(std::system(command.c_str()) == 0);
  }
  // False when the device does not know the switch.
  [[nodiscard]] bool set_offload(const std::string& device, uint32_t ethtool_command,
                                 bool on) const {
    const Inside inside(*this);
    const os::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ethtool_value value{ethtool_command, on ? 1U : 0U};
    ifreq request{};
    device.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
    request.ifr_data = reinterpret_cast<char*>(&value);
    return ::ioctl(fd.get(), SIOCETHTOOL, &request) == 0;
  }

 private:
  static os::Fd current() {
    os::Fd fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    REQUIRE(fd.valid());
    return fd;
  }
  os::Fd fd_;
};

// True when the test can run. Where everything is required, not to be able is a failure.
inline bool namespaces_available(const NetworkNamespace& made) {
  const bool available = made.valid() && std::system("ip -V >/dev/null 2>&1") == 0;
  if (available) return true;
  const char* required = std::getenv("SLUICE_REQUIRE_TOOLS");
  const bool may_skip = required == nullptr || std::strcmp(required, "1") != 0;
  CHECK_MESSAGE(may_skip, "network namespaces need root and iproute2");
  MESSAGE("skipped: needs root and iproute2");
  return false;
}

}  // namespace sluice::test
