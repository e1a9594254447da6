// Each probe tries the thing itself, since versions and sysctls say less than the kernel's answer.
#include "os/features.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "os/fd.h"
#include "os/icmp.h"
#include "os/pipe.h"
#include "os/sys.h"

namespace sluice::os {

namespace {

std::string reason(int error) {
  return std::generic_category().message(error);
}

Feature missing(std::string_view name, const std::string& why, std::string_view instead) {
  return {name, false, why + "; " + std::string(instead)};
}

Feature probe_option(std::string_view name, int type, int level, int option, int value,
                     std::string_view instead) {
  const Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (fd.valid() && ::setsockopt(fd.get(), level, option, &value, sizeof(value)) == 0) {
    return {name, true, {}};
  }
  return missing(name, reason(errno), instead);
}

// Through the very calls of the byte path: a seccomp filter may refuse splice alone.
Feature probe_splice() {
  constexpr std::string_view kInstead = "streams are copied";
  PipeStore store({1, 256 * 1024, UINT32_MAX});
  Pipe* const pipe = store.take();
  if (pipe == nullptr) return missing("splice", "no pipe to be had", kInstead);
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return missing("splice", reason(errno), kInstead);
  }
  const Fd near(ends[0]);
  const Fd far(ends[1]);
  const std::byte payload[1] = {};
  IoResult result = RealSys::send(near.get(), payload);
  if (result.done()) result = RealSys::splice_in(far.get(), pipe->write.get(), 1);
  if (result.done()) pipe->bytes = 1;
  if (result.done()) result = RealSys::splice_out(pipe->read.get(), far.get(), 1);
  if (result.done()) pipe->bytes = 0;
  store.give(pipe);
  if (!result.done()) return missing("splice", reason(result.error), kInstead);
  return {"splice", true, {}};
}

Feature probe_pipe_size() {
  constexpr uint32_t kWantedBytes = 256 * 1024;
  PipeStore store({1, kWantedBytes, UINT32_MAX});
  Pipe* const pipe = store.take();
  const uint32_t given = pipe == nullptr ? 0 : pipe->capacity_bytes;
  if (pipe != nullptr) store.give(pipe);
  if (given >= kWantedBytes) return {"pipe_size", true, {}};
  return missing("pipe_size",
                 "fs.pipe-max-size or fs.pipe-user-pages-soft allows " + std::to_string(given) +
                     " bytes of " + std::to_string(kWantedBytes),
                 "splice moves less per call");
}

Feature probe_icmp(std::string_view name, IcmpFamily family) {
  if (IcmpSocket::open(family, IcmpMode::datagram).valid()) return {name, true, {}};
  const IcmpSocket raw = IcmpSocket::open(family, IcmpMode::raw);
  const std::string why = "net.ipv4.ping_group_range does not include our group";
  if (raw.valid()) return missing(name, why, "pings go through a raw socket");
  return missing(name, why + " and a raw socket is refused (" + reason(raw.error()) + ")",
                 "ping checks of this address family do not work");
}

// Off by default in every kernel; without it a closed listener of a group resets what waits in its
// queue (techniques.md, section 2), which is why sluice keeps its listeners open over reloads.
Feature probe_migrate_requests() {
  int value = 0;
  if (std::FILE* file = std::fopen("/proc/sys/net/ipv4/tcp_migrate_req", "re")) {
    if (std::fscanf(file, "%d", &value) != 1) value = 0;
    std::fclose(file);
  }
  if (value != 0) return {"tcp_migrate_requests", true, {}};
  return missing(
      "tcp_migrate_requests", "net.ipv4.tcp_migrate_req is 0 or unknown",
      "connections that wait in a removed listener's queue are accepted before it closes");
}

}  // namespace

std::vector<Feature> probe_features() {
  constexpr int kOn = 1;
  std::vector<Feature> features;
  features.push_back(probe_splice());
  features.push_back(probe_pipe_size());
  features.push_back(probe_option("reuse_port", SOCK_STREAM, SOL_SOCKET, SO_REUSEPORT, kOn,
                                  "only one worker can listen: set engine.workers to 1"));
  features.push_back(probe_option("udp_segment", SOCK_DGRAM, IPPROTO_UDP, UDP_SEGMENT, 1200,
                                  "datagrams are sent one by one"));
  features.push_back(probe_option("udp_gro", SOCK_DGRAM, IPPROTO_UDP, UDP_GRO, kOn,
                                  "datagrams are received one by one"));
  features.push_back(probe_option("bind_address_no_port", SOCK_STREAM, IPPROTO_IP,
                                  IP_BIND_ADDRESS_NO_PORT, kOn,
                                  "a source address serves 28000 connections over all targets"));
  features.push_back(probe_option("tcp_user_timeout", SOCK_STREAM, IPPROTO_TCP, TCP_USER_TIMEOUT,
                                  1000,
                                  "a vanished side is noticed by keep-alive or idle timeout"));
  features.push_back(probe_icmp("ping_ipv4", IcmpFamily::v4));
  features.push_back(probe_icmp("ping_ipv6", IcmpFamily::v6));
  features.push_back(probe_migrate_requests());
  return features;
}

}  // namespace sluice::os
