// Command rings: order, wrap-around, and a reader that trusts nothing.
#include "shared/command_ring.h"

#include <doctest/doctest.h>

#include <memory>
#include <thread>

#include "shared/region.h"
#include "support/ring_ends.h"

using namespace sluice::shared;
using sluice::test::CommandWriter;

namespace {

Command close_target(uint32_t slot) {
  Command command{};
  command.type = static_cast<uint32_t>(CommandType::close_connections);
  command.scope = static_cast<uint32_t>(CloseScope::target);
  command.slot = slot;
  return command;
}

Command of_type(CommandType type) {
  Command command{};
  command.type = static_cast<uint32_t>(type);
  return command;
}

}  // namespace

TEST_CASE("commands come out as they went in, also where the 32-bit indexes wrap around") {
  Region region = Region::create(1);
  RingHeader& header = region.command_header(1);
  header.head.store(UINT32_MAX - 1);
  header.tail.store(UINT32_MAX - 1);
  CommandWriter writer(header, region.command_records(1));
  CommandRing ring(header, region.command_records(1), CommandReader::worker);
  for (uint32_t i = 0; i < 2 * kRingRecords + 5; i++) {
    REQUIRE(writer.push(close_target(i % kTargetSlotsMax)));
    const auto command = ring.pop();
    REQUIRE(command.has_value());
    REQUIRE(command->slot == i % kTargetSlotsMax);
  }
  CHECK(!ring.pop().has_value());
  CHECK(ring.rejected() == 0);
}

TEST_CASE("a full command ring refuses the producer and loses nothing") {
  Region region = Region::create(1);
  CommandWriter writer(region.command_header(1), region.command_records(1));
  CommandRing ring(region.command_header(1), region.command_records(1), CommandReader::worker);
  for (uint32_t i = 0; i < kRingRecords; i++) REQUIRE(writer.push(close_target(i)));
  CHECK(!writer.push(close_target(0)));
  for (uint32_t i = 0; i < kRingRecords; i++) REQUIRE(ring.pop()->slot == i);
  CHECK(!ring.pop().has_value());
}

TEST_CASE("commands with a field out of bounds, or in the wrong ring, are skipped and counted") {
  Command load = of_type(CommandType::load_table);
  load.area = 1;
  load.bytes = kImageBytesMax;
  CHECK(is_valid(load, CommandReader::coordinator));
  CHECK(!is_valid(load, CommandReader::worker));
  load.area = 2;
  CHECK(!is_valid(load, CommandReader::coordinator));
  load.area = 0;
  load.bytes = kImageBytesMax + 1;
  CHECK(!is_valid(load, CommandReader::coordinator));
  CHECK(is_valid(of_type(CommandType::ping), CommandReader::coordinator));
  CHECK(!is_valid(of_type(CommandType::ping), CommandReader::worker));
  CHECK(is_valid(close_target(kTargetSlotsMax - 1), CommandReader::worker));
  CHECK(!is_valid(close_target(kTargetSlotsMax), CommandReader::worker));
  CHECK(!is_valid(close_target(1), CommandReader::coordinator));
  Command close = close_target(kListenerSlotsMax);
  close.scope = static_cast<uint32_t>(CloseScope::listener);
  CHECK(!is_valid(close, CommandReader::worker));
  close.slot = kListenerSlotsMax - 1;
  CHECK(is_valid(close, CommandReader::worker));
  for (const uint32_t scope : {0U, 4U, UINT32_MAX}) {
    close.scope = scope;
    CHECK(!is_valid(close, CommandReader::worker));
  }
  Command explain = of_type(CommandType::explain);
  explain.slot = kListenerSlotsMax - 1;
  explain.port = 65535;
  CHECK(is_valid(explain, CommandReader::worker));
  CHECK(!is_valid(explain, CommandReader::coordinator));
  explain.port = 65536;
  CHECK(!is_valid(explain, CommandReader::worker));
  explain.port = 0;
  explain.slot = kListenerSlotsMax;
  CHECK(!is_valid(explain, CommandReader::worker));
  for (const uint32_t type : {0U, 5U, 0x80000000U, UINT32_MAX}) {
    Command unknown{};
    unknown.type = type;
    CHECK(!is_valid(unknown, CommandReader::coordinator));
    CHECK(!is_valid(unknown, CommandReader::worker));
  }

  Region region = Region::create(1);
  CommandWriter writer(region.command_header(1), region.command_records(1));
  CommandRing ring(region.command_header(1), region.command_records(1), CommandReader::worker);
  writer.push(close_target(kTargetSlotsMax));
  writer.push(of_type(CommandType::ping));
  writer.push(close_target(5));
  CHECK(ring.pop()->slot == 5);
  CHECK(ring.rejected() == 2);
}

TEST_CASE("a head that makes no sense is skipped over and never leads outside the ring") {
  Region region = Region::create(1);
  RingHeader& header = region.command_header(1);
  // On its own heap block, so that AddressSanitizer sees every access beyond it.
  auto records = std::make_unique<Command[]>(kRingRecords);
  CommandWriter writer(header, records.get());
  CommandRing ring(header, records.get(), CommandReader::worker);
  uint64_t rejected = 0;
  for (const uint32_t head : {kRingRecords + 1, 0x80000000U, UINT32_MAX, 123456U}) {
    header.head.store(head);
    CHECK(!ring.pop().has_value());
    CHECK(ring.rejected() == ++rejected);
    CHECK(header.tail.load() == head);
    // And commands flow again.
    REQUIRE(writer.push(close_target(9)));
    CHECK(ring.pop()->slot == 9);
  }
  // A tail overwritten by the other side is not looked at.
  header.tail.store(77);
  REQUIRE(!ring.pop().has_value());
}

TEST_CASE("a producer and a consumer on two threads keep every command in order") {
  Region region = Region::create(1);
  constexpr uint32_t kCommands = 300'000;
  std::thread producer([&region] {
    CommandWriter writer(region.command_header(1), region.command_records(1));
    for (uint32_t i = 0; i < kCommands; i++) {
      Command command = close_target(i % kTargetSlotsMax);
      command.generation = i;
      while (!writer.push(command)) std::this_thread::yield();
    }
  });
  CommandRing ring(region.command_header(1), region.command_records(1), CommandReader::worker);
  uint64_t expected = 0;
  bool in_order = true;
  while (expected < kCommands) {
    const auto command = ring.pop();
    if (!command) {
      std::this_thread::yield();
      continue;
    }
    in_order = in_order && command->generation == expected;
    expected++;
  }
  producer.join();
  CHECK(in_order);
  CHECK(ring.rejected() == 0);
}
