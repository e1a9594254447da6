// Commands to echoes, answers to events.
#include "engine/ping_service.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <span>

#include "os/address.h"
#include "os/connect.h"
#include "shared/worker_links.h"

namespace sluice::engine {
namespace {

using shared::PingOutcome;

os::Address target_of(const shared::Command& command) {
  static constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const std::span<const uint8_t, 16> ip(command.ip);
  if (std::memcmp(ip.data(), kMappedPrefix, sizeof(kMappedPrefix)) == 0) {
    return os::Address::ipv4(ip.last<4>(), 0);
  }
  return os::Address::ipv6(ip, 0, command.scope_id);
}

PingOutcome outcome_of(int error) {
  if (error == EACCES || error == EPERM) return PingOutcome::not_permitted;
  return os::classify_connect_error(error) == os::ConnectFault::unreachable
             ? PingOutcome::unreachable
             : PingOutcome::failed;
}

}  // namespace

int PingService::open(Family& family, os::IcmpFamily kind) {
  if (family.socket.valid()) return 0;
  family.socket = os::IcmpSocket::open(kind, os::IcmpMode::automatic);
  if (!family.socket.valid()) return family.socket.error();
  const auto token = os::EpollToken::of(&family, static_cast<uint8_t>(shared::TokenKind::icmp));
  const os::IoResult added = epoll_.add(family.socket.fd(), EPOLLIN, token);
  if (added.failed()) family.socket = {};
  return added.error;
}

void PingService::send(const shared::Command& command, uint64_t now_ns) {
  const os::Address target = target_of(command);
  const bool v6 = target.family() == AF_INET6;
  Family& family = v6 ? v6_ : v4_;
  int error = open(family, v6 ? os::IcmpFamily::v6 : os::IcmpFamily::v4);
  if (error == 0) {
    const os::IoResult sent = family.socket.send_echo(target, command.id, now_ns);
    if (sent.done()) return;
    // A full send buffer is no word about the target.
    error = sent.would_block() ? ENOBUFS : sent.error;
  }
  answer(command.id, outcome_of(error), error, 0);
}

void PingService::receive(os::EpollToken token, uint64_t now_ns) {
  os::IcmpSocket& socket = token.object<Family>()->socket;
  for (;;) {
    const os::IcmpAnswer got = socket.receive(now_ns);
    switch (got.kind) {
      case os::IcmpAnswer::Kind::none:
        return;
      case os::IcmpAnswer::Kind::answered:
        answer(got.id, PingOutcome::answered, 0, got.round_trip_ns);
        break;
      case os::IcmpAnswer::Kind::unreachable:
        answer(got.id, PingOutcome::unreachable, got.error, got.round_trip_ns);
        break;
    }
  }
}

void PingService::answer(uint32_t id, PingOutcome outcome, int error, uint64_t duration_ns) {
  shared::Event event{};
  event.type = static_cast<uint16_t>(shared::EventType::ping_answered);
  event.code = static_cast<uint16_t>(outcome);
  event.slot = shared::kNoSlot;
  event.target_slot = shared::kNoSlot;
  event.error = error;
  event.id = id;
  event.connect_us = static_cast<uint32_t>(
      std::min<uint64_t>(duration_ns / 1000, std::numeric_limits<uint32_t>::max()));
  answers_.push_back(event);
}

}  // namespace sluice::engine
