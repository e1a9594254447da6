// Two socket options.
#include "os/udp_offload.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "os/fd.h"

namespace sluice::os {

bool knows_udp_gso() {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int off = 0;
  return fd.valid() && ::setsockopt(fd.get(), SOL_UDP, UDP_SEGMENT, &off, sizeof(off)) == 0;
}

bool enable_udp_gro(int fd) {
  const int on = 1;
  return ::setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) == 0;
}

}  // namespace sluice::os
