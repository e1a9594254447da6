// PingService: ICMP echo for health checks. One socket per family, opened with the first ping that
// needs it. Deadlines are the control plane's: it forgets a ping that takes too long, and the
// socket forgets the oldest of more than os::IcmpSocket::kOutstandingMax.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "os/epoll.h"
#include "os/icmp.h"
#include "shared/layout.h"

namespace sluice::engine {

// Coordinator only.
class PingService {
 public:
  explicit PingService(os::Epoll& epoll) : epoll_(epoll) {}
  PingService(const PingService&) = delete;
  PingService& operator=(const PingService&) = delete;

  void send(const shared::Command& command, uint64_t now_ns);
  // An event of kind TokenKind::icmp.
  void receive(os::EpollToken token, uint64_t now_ns);

  // Hands over the answers found since the last call, as ping_answered events.
  template <typename Take>
  void take_answers(Take&& take) {
    for (const shared::Event& answer : std::exchange(answers_, {})) take(answer);
  }

 private:
  // Its address is its epoll token.
  struct alignas(8) Family {
    os::IcmpSocket socket;
  };

  [[nodiscard]] int open(Family& family, os::IcmpFamily kind);
  void answer(uint32_t id, shared::PingOutcome outcome, int error, uint64_t duration_ns);

  os::Epoll& epoll_;
  Family v4_;
  Family v6_;
  std::vector<shared::Event> answers_;
};

}  // namespace sluice::engine
