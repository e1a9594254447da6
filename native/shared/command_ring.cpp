// Reading commands with suspicion.
#include "shared/command_ring.h"

namespace sluice::shared {

bool is_valid(const Command& command, CommandReader reader) {
  const bool coordinator = reader == CommandReader::coordinator;
  switch (CommandType{command.type}) {
    case CommandType::load_table:
      return coordinator && command.area < 2 && command.bytes <= kImageBytesMax;
    case CommandType::ping:
      return coordinator;
    case CommandType::close_connections:
      if (coordinator) return false;
      switch (CloseScope{command.scope}) {
        case CloseScope::all:
          return true;
        case CloseScope::listener:
          return command.slot < kListenerSlotsMax;
        case CloseScope::target:
          return command.slot < kTargetSlotsMax;
      }
      return false;
    case CommandType::explain:
      return !coordinator && command.slot < kListenerSlotsMax && command.port <= UINT16_MAX;
  }
  return false;
}

CommandRing::CommandRing(RingHeader& header, const Command* records, CommandReader reader)
    : header_(header),
      records_(records),
      reader_(reader),
      tail_(header.tail.load(std::memory_order_relaxed)) {}

std::optional<Command> CommandRing::pop() {
  // Bounded, for a producer gone wild: what it keeps writing waits for the next call.
  for (uint32_t skipped = 0; skipped < kRingRecords; skipped++) {
    // Acquire: pairs with the producer's store, so that the record is read as it was written.
    const uint32_t head = header_.head.load(std::memory_order_acquire);
    if (head == tail_) return std::nullopt;
    if (head - tail_ > kRingRecords) {
      // No producer of ours can be that far ahead. What lies between cannot be told apart from
      // rubbish; begin again where it says that it is.
      rejected_++;
      tail_ = head;
      header_.tail.store(tail_, std::memory_order_release);
      return std::nullopt;
    }
    // Copied before it is checked: the other side could still write to the place.
    const Command command = records_[tail_ & (kRingRecords - 1)];
    tail_++;
    // Release: the place may be written again only after it was copied.
    header_.tail.store(tail_, std::memory_order_release);
    if (is_valid(command, reader_)) return command;
    rejected_++;
  }
  return std::nullopt;
}

}  // namespace sluice::shared
