// UDP_GRO: the kernel hands over runs of equal-sized datagrams of one sender in one piece.
// UDP_SEGMENT (GSO): it takes them in one piece.
#pragma once

namespace sluice::os {

// False before 4.18. Such a kernel ignores UDP_SEGMENT as a control message and would send the
// whole piece as one datagram, so it must be asked first.
[[nodiscard]] bool knows_udp_gso();

// False when the kernel does not know it (before 5.0). Never switched off again on a socket in use:
// pieces that already wait would then be read without their segment size.
[[nodiscard]] bool enable_udp_gro(int fd);

}  // namespace sluice::os
