// CommandRing: the native end of a command ring. The records come from the other side of the
// shared memory, so nothing in them is believed before it is checked here.
#pragma once

#include <cstdint>
#include <optional>

#include "shared/layout.h"

namespace sluice::shared {

// Which thread reads the ring, and so which commands belong in it.
enum class CommandReader : uint8_t { coordinator, worker };

// Every field that the command's type uses is within its bounds, so that the reader may index with
// it. What a table image says is checked by its builder, not here.
[[nodiscard]] bool is_valid(const Command& command, CommandReader reader);

class CommandRing {
 public:
  // `records` has kRingRecords places.
  CommandRing(RingHeader& header, const Command* records, CommandReader reader);

  // The next valid command; nullopt when the ring is empty. Invalid ones are skipped and counted.
  [[nodiscard]] std::optional<Command> pop();
  // Commands that were not valid, and times the other side's `head` made no sense.
  [[nodiscard]] uint64_t rejected() const { return rejected_; }

 private:
  RingHeader& header_;
  const Command* records_;
  CommandReader reader_;
  uint32_t tail_;  // our own copy: the one in shared memory is published, never read back
  uint64_t rejected_ = 0;
};

}  // namespace sluice::shared
