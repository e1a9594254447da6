// The control plane's ends of the rings, as TypeScript implements them: for tests without Node.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "shared/layout.h"

namespace sluice::test {

class CommandWriter {
 public:
  CommandWriter(shared::RingHeader& header, shared::Command* records)
      : header_(header), records_(records) {}

  // False when the ring is full.
  bool push(const shared::Command& command) {
    const uint32_t head = header_.head.load(std::memory_order_relaxed);
    if (head - header_.tail.load(std::memory_order_acquire) >= shared::kRingRecords) return false;
    records_[head & (shared::kRingRecords - 1)] = command;
    header_.head.store(head + 1, std::memory_order_release);
    return true;
  }

 private:
  shared::RingHeader& header_;
  shared::Command* records_;
};

class EventReader {
 public:
  EventReader(shared::RingHeader& header, const shared::Event* records)
      : header_(header), records_(records) {}

  // As Atomics.load in TypeScript: sequentially consistent, which the doorbell needs.
  std::optional<shared::Event> pop() {
    const uint32_t tail = header_.tail.load(std::memory_order_relaxed);
    if (header_.head.load(std::memory_order_seq_cst) == tail) return std::nullopt;
    const shared::Event event = records_[tail & (shared::kRingRecords - 1)];
    header_.tail.store(tail + 1, std::memory_order_release);
    return event;
  }

 private:
  shared::RingHeader& header_;
  const shared::Event* records_;
};

// Cleared before the rings are drained, never after.
inline void answer_doorbell(shared::RegionHeader& region) {
  region.doorbell_pending.store(0, std::memory_order_seq_cst);
}

}  // namespace sluice::test
