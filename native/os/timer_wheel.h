// TimerWheel: one worker's deadlines, as a hierarchical wheel with an intrusive node per object:
// O(1) to arm and to cancel, no allocation. Timeouts are nearly always cancelled or moved later,
// so moving one later costs nothing: the owner notes its last activity, and when the node fires
// early it arms it again for the rest (lazy re-arming).
#pragma once

#include <cstdint>

namespace sluice::os {

struct TimerNode {
  TimerNode* previous = nullptr;
  TimerNode* next = nullptr;
  uint64_t deadline_tick = 0;
  uint8_t kind = 0;  // the owner's business; advance() hands the node back
  [[nodiscard]] bool armed() const { return next != nullptr; }
};

class TimerWheel {
 public:
  static constexpr uint64_t kTickNs = 8'000'000;  // 8 ms
  static constexpr uint32_t kLevels = 4;
  static constexpr uint32_t kSlots = 256;  // 8 ms, 2 s, 9 min, 38 h per slot: 400 days in all

  explicit TimerWheel(uint64_t now_ns);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires at or after `deadline_ns`, never before; at most two ticks late under a running loop.
  // An armed node is moved.
  void arm(TimerNode& node, uint64_t deadline_ns);
  void cancel(TimerNode& node);
  // Calls fire(node) for every node due at `now_ns`, disarmed, earliest tick first. fire may arm
  // and cancel any node, itself included. A clock that stands still or goes back fires nothing.
  template <typename Fire>
  void advance(uint64_t now_ns, Fire&& fire);
  // For epoll_wait: milliseconds until the next tick that may fire something, -1 when nothing is
  // armed. Never later than the earliest deadline's tick.
  [[nodiscard]] int timeout_ms(uint64_t now_ns) const;
  [[nodiscard]] uint64_t armed_count() const { return armed_count_; }

 private:
  uint64_t current_tick_ = 0;
  uint64_t armed_count_ = 0;
  TimerNode slots_[kLevels][kSlots];  // list heads
};

}  // namespace sluice::os
