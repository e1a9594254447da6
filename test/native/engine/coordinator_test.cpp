// The coordinator against workers that are late, images that are wrong, and a control plane that
// does not read.
#include "engine/coordinator.h"

#include <doctest/doctest.h>

#include "engine/worker.h"
#include "support/engine_harness.h"
#include "support/loopback.h"
#include "table/image_checks.h"

namespace sluice::engine {
namespace {

using shared::EventType;
using shared::TableError;
using test::TestTable;

// The parts of an engine, so that a worker can come to its loop late.
struct Parts {
  explicit Parts(uint32_t count) {
    options.workers = count;
    options.connections_max = 16;
    for (uint32_t i = 0; i < count; i++) {
      workers.push_back(
          std::make_unique<Worker>(Worker::Links{.index = i,
                                                 .options = options,
                                                 .region = region,
                                                 .exchange = exchange,
                                                 .waiting = waiting,
                                                 .retries = retries,
                                                 .coordinator = coordinator.doorbell(),
                                                 .wake = &test::ControlPlane::wake,
                                                 .wake_context = &bell}));
    }
    control.attach(region);
    REQUIRE(coordinator.start(workers) == 0);
  }
  ~Parts() {
    coordinator.request_stop();
    coordinator.join();
    for (const auto& worker : workers) worker->request_stop();
    workers.clear();
  }

  void load(const TestTable& table) { load_as(table, table.generation); }
  void load_as(const TestTable& table, uint64_t generation) {
    control.send(0, control.load_command(test::image_of(table), generation));
    coordinator.doorbell().ring();
  }
  // The next answer to a load, or nothing when there is none for so long.
  std::optional<shared::Event> answer(int wait_ms = 5000) {
    for (;;) {
      const auto event = control.next_event(0, wait_ms);
      if (!event || test::type_of(*event) != EventType::listener_bound) return event;
    }
  }

  shared::EngineOptions options;
  shared::WaitingBoard waiting{2};
  shared::RetryBudgets retries;
  os::Doorbell bell = os::Doorbell::create();
  shared::Region region = shared::Region::create(2);
  table::TableExchange exchange{2};
  test::ControlPlane control{bell};
  Coordinator coordinator{{region, exchange, &test::ControlPlane::wake, &bell}};
  std::vector<std::unique_ptr<Worker>> workers;
};

void check_malformed(const std::optional<shared::Event>& event, uint16_t check) {
  REQUIRE(event.has_value());
  CHECK(test::type_of(*event) == EventType::table_rejected);
  CHECK(TableError{event->code} == TableError::malformed);
  CHECK(event->index == check);
  CHECK(event->slot == shared::kNoSlot);
}

TEST_CASE("a table counts as applied only when the last worker works by it") {
  Parts parts(2);
  REQUIRE(parts.workers[0]->start() == 0);
  parts.load({.generation = 4});
  while (parts.workers[0]->applied_generation() != 4) ::poll(nullptr, 0, 1);
  CHECK(parts.answer(20) == std::nullopt);
  REQUIRE(parts.workers[1]->start() == 0);
  const auto event = parts.answer();
  REQUIRE(event.has_value());
  CHECK(test::type_of(*event) == EventType::table_applied);
  CHECK(event->id == 4);
  CHECK(parts.workers[1]->applied_generation() == 4);
}

TEST_CASE("loads that meet a late worker are answered one by one, in their order") {
  Parts parts(2);
  REQUIRE(parts.workers[0]->start() == 0);
  parts.load({.generation = 1});
  parts.load({.generation = 2, .listeners = {{.slot = 1}, {.slot = 2}}});
  while (parts.workers[0]->applied_generation() != 1) ::poll(nullptr, 0, 1);
  // A third has no image area to come from.
  parts.load_as({.generation = 3}, 3);
  check_malformed(parts.answer(), static_cast<uint16_t>(LoadCheck::loads_in_flight));
  REQUIRE(parts.workers[1]->start() == 0);
  for (const uint32_t generation : {1U, 2U}) {
    const auto event = parts.answer();
    REQUIRE(event.has_value());
    CHECK(test::type_of(*event) == EventType::table_applied);
    CHECK(event->id == generation);
  }
}

TEST_CASE("sockets that have left the table stay open until the last worker has let go of them") {
  Parts parts(2);
  for (const auto& worker : parts.workers) REQUIRE(worker->start() == 0);
  parts.load({.generation = 1});
  const auto bound = parts.control.next_event(0);
  REQUIRE(bound.has_value());
  REQUIRE(test::type_of(*parts.answer()) == EventType::table_applied);
  const auto with_listener = test::entries_of("/proc/self/fd").size();
  parts.load({.generation = 2, .listeners = {}});
  REQUIRE(test::type_of(*parts.answer()) == EventType::table_applied);
  CHECK(test::entries_of("/proc/self/fd").size() == with_listener - 2);
  CHECK(parts.exchange.live_tables() == 1);
}

TEST_CASE("a target that gets the slot of another one does not begin with its response time") {
  Parts parts(1);
  REQUIRE(parts.workers[0]->start() == 0);
  std::atomic<uint32_t>& response_us = parts.region.turn_signals()[0].response_us;
  const auto load = [&](const TestTable& table) {
    parts.load(table);
    REQUIRE(test::type_of(*parts.answer()) == EventType::table_applied);
  };
  load({.generation = 1, .target_ports = {1}});
  response_us = 2'000'000;
  load({.generation = 2, .target_ports = {1}});
  CHECK(response_us == 2'000'000);
  load({.generation = 3});
  load({.generation = 4, .target_ports = {2}});
  CHECK(response_us == 0);
}

TEST_CASE("an image that is not what its command says is refused by the number of the check") {
  Parts parts(1);
  REQUIRE(parts.workers[0]->start() == 0);
  parts.load_as({.generation = 7}, 8);
  check_malformed(parts.answer(), static_cast<uint16_t>(LoadCheck::generation));
  parts.load({.generation = 7});
  CHECK(test::type_of(*parts.answer()) == EventType::table_applied);
  parts.load({.generation = 7});
  check_malformed(parts.answer(), static_cast<uint16_t>(LoadCheck::generation));

  std::vector<std::byte> image = test::image_of({.generation = 9});
  image.back() ^= std::byte{1};
  parts.control.send(0, parts.control.load_command(image, 9));
  parts.coordinator.doorbell().ring();
  check_malformed(parts.answer(), static_cast<uint16_t>(table::ImageCheck::checksum));
}

TEST_CASE("no answer is lost while the control plane does not read") {
  Parts parts(1);
  REQUIRE(parts.workers[0]->start() == 0);
  // Each is refused at once, so their answers are all that waits.
  constexpr uint32_t kLoads = shared::kRingRecords + 500;
  const shared::Command empty = parts.control.load_command({}, 1);
  for (uint32_t i = 0; i < kLoads; i++) parts.control.send(0, empty, &parts.coordinator.doorbell());
  for (uint32_t i = 0; i < kLoads; i++) {
    const auto event = parts.answer();
    REQUIRE(event.has_value());
    REQUIRE(test::type_of(*event) == EventType::table_rejected);
  }
  CHECK(parts.region.event_header(0).dropped == 0);
}

TEST_CASE("a ping to loopback is answered with its id, or says that it is not permitted") {
  Parts parts(1);
  shared::Command command{};
  command.type = static_cast<uint32_t>(shared::CommandType::ping);
  command.id = 77;
  command.ip[10] = command.ip[11] = 0xff;
  command.ip[12] = 127;
  command.ip[15] = 1;
  parts.control.send(0, command, &parts.coordinator.doorbell());
  const auto event = parts.control.next_event(0);
  REQUIRE(event.has_value());
  CHECK(test::type_of(*event) == EventType::ping_answered);
  CHECK(event->id == 77);
  const bool permitted = os::IcmpSocket::open(os::IcmpFamily::v4, os::IcmpMode::automatic).valid();
  CHECK(shared::PingOutcome{event->code} ==
        (permitted ? shared::PingOutcome::answered : shared::PingOutcome::not_permitted));
}

}  // namespace
}  // namespace sluice::engine
