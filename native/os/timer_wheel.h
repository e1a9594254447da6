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

// A node lives on the lowest level on which its deadline and the current tick differ, in the slot
// of its deadline's digit there (digits of 8 bits). So every occupied slot lies ahead of the
// current digit of its level, and entering a slot moves its nodes down one level or more.
class TimerWheel {
 public:
  static constexpr uint64_t kTickNs = 8'000'000;  // 8 ms
  static constexpr uint32_t kLevels = 4;
  static constexpr uint32_t kSlots = 256;  // 8 ms, 2 s, 9 min, 38 h per slot: 400 days in all

  explicit TimerWheel(uint64_t now_ns);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Fires at or after `deadline_ns`, never before; at most two ticks late under a running loop.
  // A deadline that has passed fires in the next tick, never within the running advance().
  // An armed node is moved. The node must stay where it is in memory while armed.
  void arm(TimerNode& node, uint64_t deadline_ns);
  void cancel(TimerNode& node);
  // Calls fire(node) for every node due at `now_ns`, disarmed, earliest tick first. fire may arm
  // and cancel any node, itself included, and may free the node it was given. A clock that stands
  // still or goes back fires nothing.
  template <typename Fire>
  void advance(uint64_t now_ns, Fire&& fire) {
    const uint64_t target_tick = now_ns / kTickNs;
    if (target_tick <= current_tick_) return;
    latest_tick_ = target_tick;
    while (enter_next_tick(target_tick)) {
      // Nothing that fire() arms can land in this slot, whose tick is now the current one.
      while (TimerNode* node = take_due()) fire(*node);
    }
  }
  // For epoll_wait: milliseconds until the next tick that may fire something, -1 when nothing is
  // armed. Never later than the earliest deadline's tick.
  [[nodiscard]] int timeout_ms(uint64_t now_ns) const;
  [[nodiscard]] uint64_t armed_count() const { return armed_count_; }

 private:
  static constexpr uint32_t kWordBits = 64;
  static constexpr uint32_t kWords = kSlots / kWordBits;

  void place(TimerNode& node);
  void link(TimerNode& head, TimerNode& node);
  void unlink(TimerNode& node);
  void cascade(uint32_t level, uint32_t slot);
  void cascade_beyond();
  [[nodiscard]] TimerNode* take_due();
  // Moves to the next tick at which a slot must be opened, or to `target_tick` when that is
  // earlier; false then.
  bool enter_next_tick(uint64_t target_tick);
  [[nodiscard]] uint64_t next_tick() const;  // UINT64_MAX when nothing is armed

  uint64_t current_tick_ = 0;  // everything due at or before it has fired
  uint64_t latest_tick_ = 0;   // ahead of current_tick_ only inside advance()
  uint64_t armed_count_ = 0;
  uint64_t occupied_[kLevels][kWords] = {};  // a bit per slot that is not empty
  TimerNode heads_[kLevels * kSlots];        // of the slots' lists, level by level
  TimerNode beyond_;  // deadlines past the top level's turn; looked at once per turn
};

}  // namespace sluice::os
