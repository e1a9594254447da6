// ICMP and ICMPv6 echo: building, sending, and matching what comes back.
#include "os/icmp.h"

#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice::os {

namespace {

constexpr uint8_t kEchoReplyV4 = 0;
constexpr uint8_t kEchoRequestV4 = 8;
constexpr uint8_t kEchoRequestV6 = 128;
constexpr uint8_t kEchoReplyV6 = 129;

// An echo as it goes over the wire; both families have the same one.
struct EchoMessage {
  uint8_t type = 0;
  uint8_t code = 0;
  uint16_t checksum = 0;
  uint16_t id = 0;  // network byte order; the kernel writes it for a datagram socket
  uint16_t sequence = 0;
  uint64_t cookie = 0;
  char origin[8] = {'s', 'l', 'u', 'i', 'c', 'e', 0, 0};  // for whoever looks at a capture
};
static_assert(sizeof(EchoMessage) == 24);

// RFC 1071. `bytes` is even.
uint16_t internet_checksum(const void* data, size_t bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes; i += 2) {
    uint16_t word = 0;
    std::memcpy(&word, static_cast<const char*>(data) + i, sizeof(word));
    sum += word;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// Random bits that no one outside can guess. getrandom cannot fail once the system is up, and
// does not block for so few bytes then.
template <typename T>
T random_bits() {
  T bits{};
  while (::getrandom(&bits, sizeof(bits), 0) < 0 && errno == EINTR) {
  }
  return bits;
}

void switch_on(int fd, int level, int option) {
  const int on = 1;
  static_cast<void>(::setsockopt(fd, level, option, &on, sizeof(on)));
}

// A raw socket gets a copy of every ICMP message of the machine; let the kernel drop what we do not
// ask for. Errors reach us by the error queue.
void keep_only_replies(int fd, IcmpFamily family) {
  if (family == IcmpFamily::v4) {
    icmp_filter filter{~(1U << kEchoReplyV4)};
    static_cast<void>(::setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)));
    return;
  }
  icmp6_filter filter{};
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(kEchoReplyV6, &filter);
  static_cast<void>(::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)));
}

// Where the ICMP header begins: only raw IPv4 sockets are given the IP header too.
std::span<const uint8_t> without_ip_header(std::span<const uint8_t> packet) {
  if (packet.empty()) return {};
  const size_t header_bytes = size_t{packet[0] & 0x0fU} * 4;
  if (packet[0] >> 4 != 4 || header_bytes < 20 || header_bytes > packet.size()) return {};
  return packet.subspan(header_bytes);
}

}  // namespace

IcmpSocket IcmpSocket::open(IcmpFamily family, IcmpMode mode) {
  const bool v6 = family == IcmpFamily::v6;
  IcmpSocket out;
  out.family_ = family;
  for (const IcmpMode tried : {IcmpMode::datagram, IcmpMode::raw}) {
    if (mode != IcmpMode::automatic && mode != tried) continue;
    const int type = tried == IcmpMode::datagram ? SOCK_DGRAM : SOCK_RAW;
    out.fd_ = Fd(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC,
                          v6 ? static_cast<int>(IPPROTO_ICMPV6) : static_cast<int>(IPPROTO_ICMP)));
    out.error_ = out.fd_.valid() ? 0 : errno;
    out.mode_ = tried;
    if (out.fd_.valid()) break;
  }
  if (!out.fd_.valid()) return out;
  switch_on(out.fd_.get(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR);
  if (out.mode_ == IcmpMode::raw) {
    keep_only_replies(out.fd_.get(), family);
    out.raw_id_ = random_bits<uint16_t>();
  }
  out.next_sequence_ = random_bits<uint16_t>();
  out.outstanding_.resize(kOutstandingMax);
  return out;
}

IoResult IcmpSocket::send_echo(const Address& target, uint32_t id, uint64_t now_ns) {
  const bool v6 = family_ == IcmpFamily::v6;
  if (target.family() != (v6 ? AF_INET6 : AF_INET)) return IoResult::failure(EAFNOSUPPORT);
  const uint16_t sequence = next_sequence_++;
  EchoMessage message;
  message.type = v6 ? kEchoRequestV6 : kEchoRequestV4;
  message.id = htons(raw_id_);
  message.sequence = htons(sequence);
  message.cookie = random_bits<uint64_t>();
  // ICMPv6 and datagram sockets: the kernel writes the checksum, over addresses that it chooses.
  if (!v6) message.checksum = internet_checksum(&message, sizeof(message));

  Address to = target;
  to.set_port(0);  // a raw IPv6 socket would take it for a protocol
  // An ICMP error about an earlier echo waits on the socket and would be reported by this call,
  // which has nothing to do with it; taking it away leaves its report in the error queue.
  for (int tries = 0; tries < 3; tries++) {
    const ssize_t sent = ::sendto(fd_.get(), &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL,
                                  to.get(), to.bytes());
    if (sent >= 0) {
      Outstanding& slot = outstanding_[sequence % kOutstandingMax];
      slot = {{}, message.cookie, now_ns, id, sequence, true};
      const ClientAddress asked = ClientAddress::from(to.get(), to.bytes());
      std::memcpy(slot.ip, asked.ip, sizeof(slot.ip));
      return IoResult::moved(static_cast<size_t>(sent));
    }
    if (errno == EAGAIN) return IoResult::blocked();
  }
  return IoResult::failure(errno);
}

IcmpAnswer IcmpSocket::receive(uint64_t now_ns) {
  // Bounded, for a flood of strangers' messages: level-triggered epoll comes back for the rest.
  constexpr int kMessagesMax = 256;
  for (int i = 0; i < kMessagesMax; i++) {
    IcmpAnswer answer;
    const bool more = receive_error(answer, now_ns) || receive_reply(answer, now_ns);
    if (answer.kind != IcmpAnswer::Kind::none || !more) return answer;
  }
  return {};
}

IcmpSocket::Outstanding* IcmpSocket::match(std::span<const uint8_t> message, const Address& from,
                                           uint8_t type) {
  EchoMessage echo;
  if (message.size() < sizeof(echo)) return nullptr;
  std::memcpy(&echo, message.data(), sizeof(echo));
  if (echo.type != type || echo.code != 0) return nullptr;
  if (mode_ == IcmpMode::raw && echo.id != htons(raw_id_)) return nullptr;
  const uint16_t sequence = ntohs(echo.sequence);
  Outstanding& slot = outstanding_[sequence % kOutstandingMax];
  const ClientAddress sender = ClientAddress::from(from.get(), from.bytes());
  const bool ours = slot.waiting && slot.sequence == sequence && slot.cookie == echo.cookie &&
                    std::equal(std::begin(slot.ip), std::end(slot.ip), sender.ip);
  return ours ? &slot : nullptr;
}

// Answers whether there was anything in the error queue.
bool IcmpSocket::receive_error(IcmpAnswer& answer, uint64_t now_ns) {
  alignas(cmsghdr) char control[512];
  uint8_t packet[512];
  sockaddr_storage target{};
  iovec vector{packet, sizeof(packet)};
  msghdr header{};
  header.msg_name = &target;  // of the echo that met the error
  header.msg_namelen = sizeof(target);
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  const ssize_t received = ::recvmsg(fd_.get(), &header, MSG_ERRQUEUE | MSG_DONTWAIT);
  if (received < 0) return errno == EINTR;
  const std::span<const uint8_t> quoted(packet, static_cast<size_t>(received));
  const Address to = Address::from(reinterpret_cast<sockaddr*>(&target), header.msg_namelen);
  const bool v6 = family_ == IcmpFamily::v6;
  // A router that quotes too little of the echo to prove that it saw it is not believed.
  Outstanding* const slot = match(quoted, to, v6 ? kEchoRequestV6 : kEchoRequestV4);
  if (slot == nullptr) return true;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    const bool report = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                        (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    if (!report) continue;
    sock_extended_err details{};
    std::memcpy(&details, CMSG_DATA(part), sizeof(details));
    slot->waiting = false;
    answer = {IcmpAnswer::Kind::unreachable, slot->id, static_cast<int>(details.ee_errno),
              now_ns - std::min(now_ns, slot->sent_ns)};
  }
  return true;
}

// Answers whether there was anything to read.
bool IcmpSocket::receive_reply(IcmpAnswer& answer, uint64_t now_ns) {
  uint8_t packet[512];
  sockaddr_storage sender{};
  socklen_t sender_bytes = sizeof(sender);
  const ssize_t received = ::recvfrom(fd_.get(), packet, sizeof(packet), MSG_DONTWAIT,
                                      reinterpret_cast<sockaddr*>(&sender), &sender_bytes);
  // Any error but "nothing there" belongs to a report in the error queue, which comes next.
  if (received < 0) return errno != EAGAIN;
  std::span<const uint8_t> message(packet, static_cast<size_t>(received));
  const bool v6 = family_ == IcmpFamily::v6;
  if (mode_ == IcmpMode::raw && !v6) message = without_ip_header(message);
  const Address from = Address::from(reinterpret_cast<sockaddr*>(&sender), sender_bytes);
  Outstanding* const slot = match(message, from, v6 ? kEchoReplyV6 : kEchoReplyV4);
  if (slot == nullptr) return true;
  slot->waiting = false;
  answer = {IcmpAnswer::Kind::answered, slot->id, 0, now_ns - std::min(now_ns, slot->sent_ns)};
  return true;
}

}  // namespace sluice::os
