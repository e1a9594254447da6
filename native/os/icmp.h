// IcmpSocket: ICMP echo, one socket per address family. Datagram sockets need no privilege where
// net.ipv4.ping_group_range includes our group (it holds for IPv6 too); a raw socket, which needs
// CAP_NET_RAW, is the fallback.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "os/address.h"
#include "os/fd.h"
#include "os/io_result.h"

namespace sluice::os {

enum class IcmpFamily : uint8_t { v4, v6 };
enum class IcmpMode : uint8_t { automatic, datagram, raw };

struct IcmpAnswer {
  enum class Kind : uint8_t {
    none,         // nothing more to read now
    answered,     // by the target itself, with what we had sent it
    unreachable,  // a router or our own kernel says so; `error` is the errno
  };
  Kind kind = Kind::none;
  uint32_t id = 0;  // the caller's, from send_echo
  int error = 0;
  uint64_t round_trip_ns = 0;
};

class IcmpSocket {
 public:
  // Echoes that wait for their answer; with more under way the oldest is forgotten. Sixteen bits
  // of sequence would allow 65536, a health checker keeps far fewer open.
  static constexpr uint32_t kOutstandingMax = 4096;

  // `automatic` tries a datagram socket first. valid() false: error() says why, EACCES or EPERM
  // when neither kind is allowed.
  [[nodiscard]] static IcmpSocket open(IcmpFamily family, IcmpMode mode);

  [[nodiscard]] bool valid() const { return fd_.valid(); }
  [[nodiscard]] int error() const { return error_; }
  [[nodiscard]] IcmpMode mode() const { return mode_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

  // `target`'s port is not looked at; its family is the socket's. A failure that says
  // "unreachable" (classify_connect_error) is the network's word, any other is ours.
  [[nodiscard]] IoResult send_echo(const Address& target, uint32_t id, uint64_t now_ns);

  // To be called until it answers `none` whenever the descriptor is readable or in error. Answers
  // only what belongs to one of our echoes: from the address that was asked, with the random
  // cookie that only that address was sent, and once.
  [[nodiscard]] IcmpAnswer receive(uint64_t now_ns);

 private:
  struct Outstanding {
    uint8_t ip[16] = {};
    uint64_t cookie = 0;
    uint64_t sent_ns = 0;
    uint32_t id = 0;
    uint16_t sequence = 0;
    bool waiting = false;
  };

  // The first of `message`'s bytes is the ICMP header's. nullptr when none of ours.
  [[nodiscard]] Outstanding* match(std::span<const uint8_t> message, const Address& from,
                                   uint8_t type);
  [[nodiscard]] bool receive_error(IcmpAnswer& answer, uint64_t now_ns);
  [[nodiscard]] bool receive_reply(IcmpAnswer& answer, uint64_t now_ns);

  Fd fd_;
  IcmpFamily family_ = IcmpFamily::v4;
  IcmpMode mode_ = IcmpMode::automatic;
  int error_ = 0;
  uint16_t raw_id_ = 0;  // raw sockets see everybody's echoes; a datagram socket has its own
  uint16_t next_sequence_ = 0;
  std::vector<Outstanding> outstanding_;  // by sequence modulo kOutstandingMax
};

}  // namespace sluice::os
