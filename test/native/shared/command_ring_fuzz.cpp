// Fuzzes the command ring as bytes: whatever the other side writes into the header and the records,
// pop() ends, reads nothing outside the ring, and hands out valid commands only.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

#include "shared/command_ring.h"

using namespace sluice::shared;

namespace {

class Input {
 public:
  explicit Input(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  template <typename T>
  T take() {
    T value{};
    const size_t part = std::min(sizeof(T), bytes_.size());
    std::memcpy(&value, bytes_.data(), part);
    bytes_ = bytes_.subspan(part);
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
};

void require(bool condition) {
  if (!condition) std::abort();
}

void check_valid(const Command& command, CommandReader reader) {
  require(is_valid(command, reader));
  // What readers index with, checked in other words than is_valid's.
  if (CommandType{command.type} == CommandType::load_table) {
    require(reader == CommandReader::coordinator && command.area <= 1);
    require(command.bytes <= kImageBytesMax);
  }
  if (CommandType{command.type} == CommandType::close_connections) {
    require(reader == CommandReader::worker && command.scope >= 1 && command.scope <= 3);
    require(command.scope == 1 || command.slot < kTargetSlotsMax);
  }
  if (CommandType{command.type} == CommandType::explain) {
    require(reader == CommandReader::worker);
    require(command.slot < kListenerSlotsMax && command.port < 65536);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  Input input({data, bytes});
  // On the heap and exactly as large as the ring, so that AddressSanitizer guards both ends.
  static const auto records = std::make_unique<Command[]>(kRingRecords);
  std::fill_n(records.get(), kRingRecords, Command{});  // what one run left is not the next one's
  RingHeader header{};
  const auto reader =
      input.take<uint8_t>() % 2 == 0 ? CommandReader::coordinator : CommandReader::worker;
  const auto start = input.take<uint32_t>();
  header.head.store(start);
  header.tail.store(start);
  CommandRing ring(header, records.get(), reader);
  while (!input.empty()) {
    switch (input.take<uint8_t>() % 4) {
      case 0: {  // an honest producer
        const uint32_t head = header.head.load();
        records[head % kRingRecords] = input.take<Command>();
        header.head.store(head + 1);
        break;
      }
      case 1:
        header.head.store(input.take<uint32_t>());
        break;
      case 2:
        header.tail.store(input.take<uint32_t>());
        break;
      default:
        if (const auto command = ring.pop()) check_valid(*command, reader);
        break;
    }
  }
  // However it stands now, it can be emptied.
  const uint64_t rejected = ring.rejected();
  uint32_t popped = 0;
  while (const auto command = ring.pop()) {
    check_valid(*command, reader);
    require(++popped <= kRingRecords);
  }
  require(popped + (ring.rejected() - rejected) <= kRingRecords);
  return 0;
}
