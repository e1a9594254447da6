// What the coordinator measures once a second: bytes per second, and response times that fall.
#include "engine/target_signals.h"

#include <doctest/doctest.h>

#include "shared/response_time.h"

namespace sluice::engine {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

struct Fixture {
  shared::Region region = shared::Region::create(2);
  table::Table table;
  TargetSignals signals{region};
  uint64_t now_ns = 5 * kSecondNs;

  Fixture() {
    REQUIRE(region.valid());
    table.targets.push_back({.slot = 3, .address = {}, .name = "a", .pool_slot = 0});
    table.pools.emplace_back().set_tiers(table::PolicyKind::least_bandwidth, {});
    table.index_slots();
  }
  void second_passes() {
    now_ns += kSecondNs;
    signals.turn(&table, now_ns);
  }
  uint64_t bytes_per_s() { return region.bandwidth()[3].bytes_per_s.load(); }
  std::atomic<uint32_t>& response_us() { return region.turn_signals()[3].response_us; }
};

TEST_CASE("bytes of both directions and all workers become bytes per second") {
  Fixture f;
  // What was forwarded before the first look is no rate.
  shared::add(f.region.target_counters(0)[3].to_client_bytes, 1'000'000'000);
  f.signals.turn(&f.table, f.now_ns);
  CHECK(f.bytes_per_s() == 0);
  f.region.active()[3] = 7;
  for (int second = 0; second < 40; second++) {
    shared::add(f.region.target_counters(0)[3].to_client_bytes, 3'000'000);
    shared::add(f.region.target_counters(1)[3].to_target_bytes, 1'000'000);
    f.second_passes();
  }
  CHECK(f.bytes_per_s() > 3'990'000);
  CHECK(f.bytes_per_s() <= 4'000'000);
  CHECK(f.region.bandwidth()[3].active.load() == 7);
  for (int second = 0; second < 60; second++) f.second_passes();
  CHECK(f.bytes_per_s() == 0);
}

TEST_CASE("a rate is by the time that has passed, not by how often one looked") {
  Fixture f;
  f.signals.turn(&f.table, f.now_ns);
  for (int round = 0; round < 40; round++) {
    shared::add(f.region.target_counters(0)[3].to_client_bytes, 2'000'000);
    f.now_ns += 2 * kSecondNs;
    f.signals.turn(&f.table, f.now_ns);
    // Too early to look again.
    f.signals.turn(&f.table, f.now_ns + kSecondNs / 2);
  }
  CHECK(f.bytes_per_s() > 990'000);
  CHECK(f.bytes_per_s() <= 1'000'000);
}

TEST_CASE("a response time falls only while no sample comes") {
  Fixture f;
  shared::note_response(f.response_us(), 1'000'000);
  f.signals.turn(&f.table, f.now_ns);
  f.second_passes();
  CHECK(f.response_us() == 900'000);
  shared::note_response(f.response_us(), 2'000'000);
  f.second_passes();
  CHECK(f.response_us() == 2'000'000);
  f.second_passes();
  CHECK(f.response_us() == 1'800'000);
}

TEST_CASE("nothing is measured, and nobody woken, for pools whose policy does not look") {
  Fixture f;
  f.signals.turn(&f.table, f.now_ns);
  CHECK(f.signals.due_in_ms(f.now_ns) == 1000);
  CHECK(f.signals.due_in_ms(f.now_ns + kSecondNs / 4 + 1) == 750);
  CHECK(f.signals.due_in_ms(f.now_ns + 2 * kSecondNs) == 0);
  f.table.pools[0].set_tiers(table::PolicyKind::round_robin, {});
  f.response_us() = 1000;
  f.second_passes();
  CHECK(f.signals.due_in_ms(f.now_ns) == -1);
  f.second_passes();
  CHECK(f.response_us() == 1000);
  f.signals.turn(nullptr, f.now_ns);
  CHECK(f.signals.due_in_ms(f.now_ns) == -1);
}

TEST_CASE("a pool whose policy does not look keeps its response times while another pool's fall") {
  Fixture f;
  table::Pool& other = f.table.pools.emplace_back();
  other.slot = 1;
  other.set_tiers(table::PolicyKind::round_robin, {});
  f.table.targets.push_back({.slot = 4, .address = {}, .name = "b", .pool_slot = 1});
  // Of no pool any more: nobody is sent there.
  f.table.targets.push_back({.slot = 5, .address = {}, .name = "c"});
  for (const uint32_t slot : {3U, 4U, 5U}) f.region.turn_signals()[slot].response_us = 1000;
  f.signals.turn(&f.table, f.now_ns);
  for (int second = 0; second < 5; second++) {
    shared::add(f.region.target_counters(0)[4].to_client_bytes, 1'000'000);
    f.second_passes();
  }
  CHECK(f.response_us() < 600);
  CHECK(f.region.turn_signals()[4].response_us == 1000);
  CHECK(f.region.turn_signals()[5].response_us == 1000);
  CHECK(f.region.bandwidth()[4].bytes_per_s.load() == 0);
  // The bytes from before its policy looked are no rate.
  other.set_tiers(table::PolicyKind::least_bandwidth, {});
  f.second_passes();
  f.second_passes();
  CHECK(f.region.bandwidth()[4].bytes_per_s.load() == 0);
  CHECK(f.region.turn_signals()[4].response_us < 1000);
}

// What the target in slot 3 was like.
void make_slow_and_busy(Fixture& f) {
  f.signals.turn(&f.table, f.now_ns);
  shared::add(f.region.target_counters(0)[3].to_client_bytes, 8'000'000);
  f.region.active()[3] = 2;
  f.second_passes();
  shared::note_failure(f.response_us());
  f.region.turn_signals()[3].measured = true;
  REQUIRE(f.bytes_per_s() == 2'000'000);
}

TEST_CASE("a slot that goes to another target begins with nothing known of the last one") {
  Fixture f;
  make_slow_and_busy(f);
  f.region.active()[3] = 0;
  table::Table without;
  SUBCASE("after a table that had it as one that retires") {
    without.targets = f.table.targets;
  }
  SUBCASE("after a table that did not have it") {}
  for (table::Target& target : without.targets) target.pool_slot = shared::kNoSlot;
  without.index_slots();
  f.signals.begin_anew(f.table, &without);
  CHECK(f.response_us() == 0);
  CHECK_FALSE(f.region.turn_signals()[3].measured);
  CHECK(f.bytes_per_s() == 0);
  CHECK(f.region.bandwidth()[3].active.load() == 0);
  // Bytes of the last one are not the new one's, either.
  shared::add(f.region.target_counters(0)[3].to_client_bytes, 8'000'000);
  f.second_passes();
  CHECK(f.bytes_per_s() == 0);
}

TEST_CASE("a target that stays, or comes back while it has connections, keeps what is known") {
  Fixture f;
  make_slow_and_busy(f);
  f.signals.begin_anew(f.table, &f.table);
  CHECK(f.response_us() == shared::kFailureUs);
  table::Table retiring;
  retiring.targets = f.table.targets;
  retiring.targets[0].pool_slot = shared::kNoSlot;
  retiring.index_slots();
  f.signals.begin_anew(retiring, &f.table);
  f.signals.begin_anew(f.table, &retiring);
  CHECK(f.response_us() == shared::kFailureUs);
  CHECK(f.region.turn_signals()[3].measured);
  CHECK(f.bytes_per_s() == 2'000'000);
}

}  // namespace
}  // namespace sluice::engine
