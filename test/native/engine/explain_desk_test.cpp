// The explain command through a whole engine: what a worker writes into its area, and that nothing
// else changes by it.
#include "engine/explain_desk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "support/engine_harness.h"
#include "support/loopback.h"
#include "support/peer.h"

namespace sluice::engine {
namespace {

using shared::EventType;
using shared::ExplainOutcome;
using test::EngineHarness;
using test::Peer;
using test::PeerListener;
using test::TestTable;

constexpr uint32_t kWorkerRing = shared::RingIndex::worker(0);

shared::Command question(uint32_t id, uint32_t listener_slot, uint16_t port = 0) {
  shared::Command command{};
  command.type = static_cast<uint32_t>(shared::CommandType::explain);
  command.id = id;
  command.slot = listener_slot;
  command.ip[10] = command.ip[11] = 0xff;
  command.ip[12] = 127;
  command.ip[15] = 1;
  command.port = port;
  return command;
}

// Asks the first worker and waits for its bell.
const shared::ExplainAnswer& ask(EngineHarness& harness, const shared::Command& command) {
  harness.control.send(kWorkerRing, command);
  harness.engine->ring_doorbell(kWorkerRing);
  for (;;) {
    const std::optional<shared::Event> event = harness.control.next_event(kWorkerRing);
    REQUIRE(event.has_value());
    if (test::type_of(*event) != EventType::explain_answered) continue;
    REQUIRE(event->id == command.id);
    shared::ExplainAnswer& answer = harness.region->explain_answer(0);
    REQUIRE(std::atomic_ref(answer.id).load(std::memory_order_acquire) == command.id);
    return answer;
  }
}

struct ThreeTargets {
  PeerListener listeners[3];
  EngineHarness harness{1};
  TestTable table;

  ThreeTargets() {
    table.listeners[0].slot = 5;
    table.listeners[0].access_log = false;
    for (const PeerListener& one : listeners) table.target_ports.push_back(one.address().port());
    REQUIRE(test::type_of(harness.load(table)) == EventType::table_applied);
  }
};

TEST_CASE("the answer names the target that the next connection gets, round after round") {
  ThreeTargets path;
  std::vector<Peer> open;
  for (uint32_t round = 1; round <= 20; round++) {
    const shared::ExplainAnswer answer = ask(path.harness, question(round, 5));
    REQUIRE(answer.outcome == static_cast<uint32_t>(ExplainOutcome::picked));
    REQUIRE(answer.target_slot < 3);
    open.push_back(Peer::connect(test::v4(path.harness.ports[0])));
    open.push_back(path.listeners[answer.target_slot].accept());
  }
}

TEST_CASE("an answer has the table's generation, and a note of every candidate") {
  ThreeTargets path;
  const shared::ExplainAnswer answer = ask(path.harness, question(77, 5));
  CHECK(answer.generation == path.table.generation);
  CHECK(answer.pool_slot == 0);
  CHECK(answer.tier == 0);
  CHECK(answer.sticky_slot == shared::kNoSlot);
  CHECK(answer.listener_active == 0);
  REQUIRE(answer.notes_count == 3);
  for (uint32_t i = 0; i < 3; i++) {
    const shared::ExplainNote note = path.harness.region->explain_notes(0)[i];
    CHECK(note.slot == i);
    CHECK(note.weight == 1);
    CHECK(note.active == 0);
    CHECK(note.standing == static_cast<uint32_t>(table::Standing::usable));
    CHECK(note.scored == 0);
  }
}

TEST_CASE("a listener that is not in the table, and a worker without a table, are answered, too") {
  ThreeTargets path;
  const shared::ExplainAnswer unknown = ask(path.harness, question(1, 6));
  CHECK(unknown.outcome == static_cast<uint32_t>(ExplainOutcome::unknown_listener));
  CHECK(unknown.pool_slot == shared::kNoSlot);
  CHECK(unknown.target_slot == shared::kNoSlot);
  CHECK(unknown.notes_count == 0);

  EngineHarness fresh(1);
  const shared::ExplainAnswer none = ask(fresh, question(1, 0));
  CHECK(none.outcome == static_cast<uint32_t>(ExplainOutcome::unknown_listener));
  CHECK(none.generation == 0);
}

TEST_CASE("asking a thousand times changes no counter and no pick") {
  ThreeTargets path;
  const shared::Region& region = *path.harness.region;
  const auto rows = [&region] {
    std::vector<uint64_t> all;
    const auto add = [&all](const auto& row) {
      const auto* first = reinterpret_cast<const shared::Counter*>(&row);
      for (size_t i = 0; i < sizeof(row) / sizeof(shared::Counter); i++) {
        all.push_back(first[i].load());
      }
    };
    add(region.listener_counters(0)[5]);
    add(region.pool_counters(0)[0]);
    for (uint32_t slot = 0; slot < 3; slot++) add(region.target_counters(0)[slot]);
    for (uint32_t slot = 0; slot < 3; slot++) all.push_back(region.active()[slot].load());
    return all;
  };
  const std::vector<uint64_t> before = rows();
  const uint32_t first = ask(path.harness, question(1, 5)).target_slot;
  for (uint32_t id = 2; id <= 1000; id++) {
    REQUIRE(ask(path.harness, question(id, 5)).target_slot == first);
  }
  CHECK(rows() == before);
  Peer client = Peer::connect(test::v4(path.harness.ports[0]));
  CHECK(path.listeners[first].accept().valid());
}

TEST_CASE("a UDP client with a session is told of it, and one of another port is not") {
  os::Listeners target = os::open_listeners(test::v4(0), 1, {.transport = os::Transport::udp});
  REQUIRE(target.ok());
  EngineHarness harness(1);
  TestTable table;
  table.listeners[0].protocol = table::Protocol::udp;
  table.listeners[0].access_log = false;
  table.target_ports = {target.bound.port()};
  REQUIRE(test::type_of(harness.load(table)) == EventType::table_applied);
  const os::Fd client(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const os::Address at = test::v4(harness.ports[0]);
  REQUIRE(::connect(client.get(), at.get(), at.bytes()) == 0);
  REQUIRE(::send(client.get(), "x", 1, 0) == 1);
  REQUIRE((test::wait_for(target.sockets[0].get(), POLLIN) & POLLIN) != 0);

  const uint16_t port = os::local_address(client.get()).port();
  const shared::ExplainAnswer known = ask(harness, question(1, 0, port));
  CHECK(known.outcome == static_cast<uint32_t>(ExplainOutcome::session));
  CHECK(known.target_slot == 0);
  const auto other = static_cast<uint16_t>(port == 1 ? 2 : port - 1);
  for (const uint16_t unknown : {other, uint16_t{0}}) {
    const shared::ExplainAnswer answer = ask(harness, question(2, 0, unknown));
    CHECK(answer.outcome == static_cast<uint32_t>(ExplainOutcome::picked));
    CHECK(answer.listener_active == 1);
  }
}

}  // namespace
}  // namespace sluice::engine
