// The hierarchical timer wheel. The occupied bits make "when next?" a few word scans, so that an
// idle worker sleeps until something is due instead of ticking.
#include "os/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <climits>

namespace sluice::os {

namespace {

constexpr uint32_t kDigitBits = 8;
constexpr uint64_t kDigitMask = 0xff;

constexpr uint32_t digit(uint64_t tick, uint32_t level) {
  return static_cast<uint32_t>((tick >> (kDigitBits * level)) & kDigitMask);
}

// The first tick of `slot` on `level`, in the turn of that level that `tick` is in.
constexpr uint64_t slot_start(uint64_t tick, uint32_t level, uint32_t slot) {
  const uint64_t above = tick >> (kDigitBits * (level + 1)) << (kDigitBits * (level + 1));
  return above | uint64_t{slot} << (kDigitBits * level);
}

void make_empty(TimerNode& head) {
  head.previous = head.next = &head;
}

}  // namespace

static_assert(TimerWheel::kSlots == kDigitMask + 1);

TimerWheel::TimerWheel(uint64_t now_ns)
    : current_tick_(now_ns / kTickNs), latest_tick_(current_tick_) {
  for (TimerNode& head : heads_) make_empty(head);
  make_empty(beyond_);
}

void TimerWheel::arm(TimerNode& node, uint64_t deadline_ns) {
  if (node.armed()) unlink(node);
  // Rounded up: the tick begins at or after the deadline.
  const uint64_t tick = deadline_ns / kTickNs + (deadline_ns % kTickNs == 0 ? 0 : 1);
  node.deadline_tick = std::max(tick, latest_tick_ + 1);
  place(node);
}

void TimerWheel::cancel(TimerNode& node) {
  if (node.armed()) unlink(node);
}

void TimerWheel::place(TimerNode& node) {
  const uint64_t difference = node.deadline_tick ^ current_tick_;
  const uint32_t level =
      difference == 0 ? 0 : static_cast<uint32_t>(std::bit_width(difference) - 1) / kDigitBits;
  if (level >= kLevels) {
    link(beyond_, node);
    return;
  }
  const uint32_t slot = digit(node.deadline_tick, level);
  occupied_[level][slot / kWordBits] |= uint64_t{1} << (slot % kWordBits);
  link(heads_[level * kSlots + slot], node);
}

// At the tail, so that nodes of one tick fire in the order in which they came.
void TimerWheel::link(TimerNode& head, TimerNode& node) {
  node.previous = head.previous;
  node.next = &head;
  head.previous->next = &node;
  head.previous = &node;
  armed_count_++;
}

void TimerWheel::unlink(TimerNode& node) {
  TimerNode* const neighbour = node.next;
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.next = node.previous = nullptr;
  armed_count_--;
  // The last node of a list has only the head beside it: the slot is empty now.
  if (neighbour->next == neighbour && neighbour != &beyond_) {
    const auto index = static_cast<uint32_t>(neighbour - heads_);
    const uint32_t slot = index % kSlots;
    occupied_[index / kSlots][slot / kWordBits] &= ~(uint64_t{1} << (slot % kWordBits));
  }
}

void TimerWheel::cascade(uint32_t level, uint32_t slot) {
  TimerNode& head = heads_[level * kSlots + slot];
  while (head.next != &head) {
    TimerNode& node = *head.next;
    unlink(node);
    place(node);
  }
}

void TimerWheel::cascade_beyond() {
  TimerNode* const last = beyond_.previous;
  while (beyond_.next != &beyond_) {
    TimerNode& node = *beyond_.next;
    unlink(node);
    place(node);  // back to the tail when it is more than another turn away
    if (&node == last) break;
  }
}

TimerNode* TimerWheel::take_due() {
  TimerNode& head = heads_[digit(current_tick_, 0)];
  if (head.next == &head) return nullptr;
  TimerNode* const node = head.next;
  unlink(*node);
  return node;
}

bool TimerWheel::enter_next_tick(uint64_t target_tick) {
  const uint64_t tick = next_tick();
  if (tick > target_tick) {
    // No occupied slot begins on the way, so every node's level stays right.
    current_tick_ = target_tick;
    return false;
  }
  current_tick_ = tick;
  if (digit(tick, 0) != 0) return true;
  // Crossed into a slot of a higher level: open it, and with it those above that begin here too.
  // The order does not matter, for each node goes straight to the level where it belongs now.
  for (uint32_t level = 1; level < kLevels && digit(tick, level - 1) == 0; level++) {
    cascade(level, digit(tick, level));
  }
  if ((tick & ((uint64_t{1} << (kDigitBits * kLevels)) - 1)) == 0) cascade_beyond();
  return true;
}

uint64_t TimerWheel::next_tick() const {
  if (armed_count_ == 0) return UINT64_MAX;
  for (uint32_t level = 0; level < kLevels; level++) {
    // Every occupied slot of this level begins before any of the next.
    const uint32_t first = digit(current_tick_, level) + 1;
    for (uint32_t word = first / kWordBits; word < kWords; word++) {
      uint64_t bits = occupied_[level][word];
      if (word == first / kWordBits) bits &= UINT64_MAX << (first % kWordBits);
      if (bits != 0) {
        const uint32_t slot = word * kWordBits + static_cast<uint32_t>(std::countr_zero(bits));
        return slot_start(current_tick_, level, slot);
      }
    }
  }
  return ((current_tick_ >> (kDigitBits * kLevels)) + 1) << (kDigitBits * kLevels);
}

int TimerWheel::timeout_ms(uint64_t now_ns) const {
  const uint64_t tick = next_tick();
  if (tick == UINT64_MAX) return -1;
  // A tick whose time in nanoseconds does not fit is 584 years away.
  const uint64_t due_ns = tick > UINT64_MAX / kTickNs ? UINT64_MAX : tick * kTickNs;
  if (due_ns <= now_ns) return 0;
  const uint64_t wait_ms = (due_ns - now_ns) / 1'000'000U + ((due_ns - now_ns) % 1'000'000U != 0);
  return static_cast<int>(std::min<uint64_t>(wait_ms, INT_MAX));
}

}  // namespace sluice::os
