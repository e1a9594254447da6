// ICMP echo: datagram and raw sockets, both families, and strangers' messages that must not match.
#include "os/icmp.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "os/clock.h"
#include "os/connect.h"
#include "support/loopback.h"
#include "support/network_namespace.h"

using namespace sluice;
using namespace sluice::test;
using os::IcmpAnswer;
using os::IcmpFamily;
using os::IcmpMode;
using os::IcmpSocket;

namespace {

IcmpAnswer next_answer(IcmpSocket& socket) {
  for (int turns = 0; turns < 100; turns++) {
    if (wait_for(socket.fd(), POLLIN) == 0) break;
    const IcmpAnswer answer = socket.receive(os::monotonic_ns());
    if (answer.kind != IcmpAnswer::Kind::none) return answer;
  }
  return {};
}

os::Address loopback(IcmpFamily family) {
  return family == IcmpFamily::v4 ? v4(0) : v6(0);
}

void answers_come_back(IcmpFamily family, IcmpMode mode) {
  IcmpSocket socket = IcmpSocket::open(family, mode);
  CAPTURE(static_cast<int>(family));
  CAPTURE(static_cast<int>(mode));
  CHECK(socket.error() == 0);
  if (!socket.valid()) return;
  CHECK(socket.mode() == mode);
  // Past 16 bits of sequence and past the bound of echoes under way.
  for (uint32_t id = 1'000'000; id < 1'000'000 + 70'000; id += 1000) {
    const uint64_t sent_ns = os::monotonic_ns();
    CHECK(socket.send_echo(loopback(family), id, sent_ns).done());
    const IcmpAnswer answer = next_answer(socket);
    CHECK(answer.kind == IcmpAnswer::Kind::answered);
    CHECK(answer.id == id);
    CHECK(answer.round_trip_ns <= os::monotonic_ns() - sent_ns);
    CHECK(socket.receive(os::monotonic_ns()).kind == IcmpAnswer::Kind::none);
  }
}

// What a router or a stranger would put on the wire. Sums up an ICMP message.
uint16_t checksum(const std::vector<uint8_t>& message) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < message.size(); i += 2) {
    sum += static_cast<uint32_t>(message[i]) | static_cast<uint32_t>(message[i + 1]) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

class Stranger {
 public:
  Stranger() : fd_(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP)) {}

  // The echo request that is on its way to some loopback address: IP header and message.
  std::vector<uint8_t> overhear() {
    std::vector<uint8_t> packet(512);
    while (wait_for(fd_.get(), POLLIN) != 0) {
      const ssize_t bytes = ::recv(fd_.get(), packet.data(), packet.size(), 0);
      if (bytes > 28 && packet[20] == 8) {
        packet.resize(static_cast<size_t>(bytes));
        return packet;
      }
    }
    return {};
  }
  // Sends `message` to 127.0.0.1 from the given loopback address.
  void say(std::vector<uint8_t> message, uint8_t from_last) {
    message[2] = message[3] = 0;
    const uint16_t sum = checksum(message);
    std::memcpy(&message[2], &sum, sizeof(sum));
    os::Fd out(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
    const os::Address source = v4(0, from_last);
    const os::Address to = v4(0, 1);
    CHECK(::bind(out.get(), source.get(), source.bytes()) == 0);
    CHECK(::sendto(out.get(), message.data(), message.size(), 0, to.get(), to.bytes()) > 0);
  }

 private:
  os::Fd fd_;
};

std::vector<uint8_t> reply_to(const std::vector<uint8_t>& request_packet) {
  std::vector<uint8_t> reply(request_packet.begin() + 20, request_packet.end());
  reply[0] = 0;
  return reply;
}

std::vector<uint8_t> unreachable_about(const std::vector<uint8_t>& request_packet, size_t quoted) {
  std::vector<uint8_t> message(8 + quoted);
  message[0] = 3;  // destination unreachable: host
  message[1] = 1;
  std::copy_n(request_packet.begin(), quoted, message.begin() + 8);
  return message;
}

void strangers_do_not_match(IcmpMode mode) {
  CAPTURE(static_cast<int>(mode));
  IcmpSocket socket = IcmpSocket::open(IcmpFamily::v4, mode);
  CHECK(socket.valid());
  if (!socket.valid()) return;
  Stranger stranger;
  CHECK(socket.send_echo(v4(0, 2), 42, os::monotonic_ns()).done());
  const std::vector<uint8_t> request = stranger.overhear();
  CHECK(request.size() == 44);
  if (request.size() != 44) return;

  std::vector<uint8_t> wrong_cookie = reply_to(request);
  wrong_cookie[8] ^= 1;
  stranger.say(wrong_cookie, 2);
  stranger.say(reply_to(request), 3);  // the right words from the wrong address
  std::vector<uint8_t> wrong_sequence = reply_to(request);
  wrong_sequence[7] ^= 1;
  stranger.say(wrong_sequence, 2);
  std::vector<uint8_t> cut = reply_to(request);
  cut.resize(16);
  stranger.say(cut, 2);
  stranger.say(unreachable_about(request, 28), 9);  // quotes no cookie
  std::vector<uint8_t> forged_quote = unreachable_about(request, request.size());
  forged_quote[8 + 20 + 8] ^= 1;  // the cookie's first byte
  stranger.say(forged_quote, 9);
  // What comes first is the answer to a later echo: all of that has been seen and left.
  CHECK(socket.send_echo(v4(0, 2), 43, os::monotonic_ns()).done());
  stranger.say(reply_to(stranger.overhear()), 2);
  CHECK(next_answer(socket).id == 43);

  // And the true answer still matches, once.
  stranger.say(reply_to(request), 2);
  const IcmpAnswer answer = next_answer(socket);
  CHECK(answer.kind == IcmpAnswer::Kind::answered);
  CHECK(answer.id == 42);
  stranger.say(reply_to(request), 2);
  CHECK(socket.receive(os::monotonic_ns()).kind == IcmpAnswer::Kind::none);
}

void unreachable_is_told(IcmpMode mode) {
  CAPTURE(static_cast<int>(mode));
  IcmpSocket socket = IcmpSocket::open(IcmpFamily::v4, mode);
  Stranger stranger;
  CHECK(socket.send_echo(v4(0, 2), 7, os::monotonic_ns()).done());
  const std::vector<uint8_t> request = stranger.overhear();
  if (request.empty()) return;
  stranger.say(unreachable_about(request, request.size()), 9);
  // The error that waits on the socket must not be taken for the next echo's.
  CHECK(wait_for(socket.fd(), POLLIN) != 0);
  CHECK(socket.send_echo(v4(0, 3), 8, os::monotonic_ns()).done());
  const IcmpAnswer answer = next_answer(socket);
  CHECK(answer.kind == IcmpAnswer::Kind::unreachable);
  CHECK(answer.id == 7);
  CHECK(os::classify_connect_error(answer.error) == os::ConnectFault::unreachable);
  CHECK(socket.receive(os::monotonic_ns()).kind == IcmpAnswer::Kind::none);
}

}  // namespace

TEST_CASE("an echo to loopback is answered, by datagram and raw sockets, over IPv4 and IPv6") {
  in_network_namespace([] {
    write_sysctl("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    for (const IcmpFamily family : {IcmpFamily::v4, IcmpFamily::v6}) {
      for (const IcmpMode mode : {IcmpMode::datagram, IcmpMode::raw}) {
        answers_come_back(family, mode);
      }
      CHECK(IcmpSocket::open(family, IcmpMode::automatic).mode() == IcmpMode::datagram);
    }
  });
}

TEST_CASE("without an unprivileged group a raw socket is taken, and a refusal says why") {
  in_network_namespace([] {
    write_sysctl("/proc/sys/net/ipv4/ping_group_range", "1 0");
    const IcmpSocket refused = IcmpSocket::open(IcmpFamily::v4, IcmpMode::datagram);
    CHECK(!refused.valid());
    CHECK(refused.error() == EACCES);
    CHECK(IcmpSocket::open(IcmpFamily::v4, IcmpMode::automatic).mode() == IcmpMode::raw);
  });
}

TEST_CASE("only the target's own answer to our own echo matches, and only once") {
  in_network_namespace([] {
    write_sysctl("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    write_sysctl("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1");
    strangers_do_not_match(IcmpMode::datagram);
    strangers_do_not_match(IcmpMode::raw);
  });
}

TEST_CASE("an ICMP error about an echo ends that echo and no other") {
  in_network_namespace([] {
    write_sysctl("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    write_sysctl("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1");
    unreachable_is_told(IcmpMode::datagram);
    unreachable_is_told(IcmpMode::raw);
  });
}

TEST_CASE("an echo to where no route leads fails at once as unreachable") {
  in_network_namespace([] {
    write_sysctl("/proc/sys/net/ipv4/ping_group_range", "0 2147483647");
    for (const IcmpMode mode : {IcmpMode::datagram, IcmpMode::raw}) {
      IcmpSocket socket = IcmpSocket::open(IcmpFamily::v4, mode);
      const uint8_t documentation[4] = {192, 0, 2, 1};
      const os::IoResult result =
          socket.send_echo(os::Address::ipv4(documentation, 0), 1, os::monotonic_ns());
      CHECK(result.failed());
      CHECK(os::classify_connect_error(result.error) == os::ConnectFault::unreachable);
      CHECK(socket.send_echo(v6(0), 1, 0).error == EAFNOSUPPORT);
    }
  });
}
