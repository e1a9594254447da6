// The exchange: workers see the newest table, and a table lives exactly as long as it is held.
#include "table/table_exchange.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace sluice::table {
namespace {

// A table whose content can be checked against its generation, so that a worker that reads a freed
// or half-built one is caught also without a sanitizer.
std::unique_ptr<Table> table_of(uint64_t generation) {
  auto table = std::make_unique<Table>();
  table->generation = generation;
  for (uint32_t i = 0; i < 4; i++) {
    table->targets.push_back(
        {.slot = i,
         .address = {},
         .max_connections = static_cast<uint32_t>(generation),
         .serves_sessions = true,
         .name = "a name too long to live inside its string " + std::to_string(generation)});
  }
  table->index_slots();
  return table;
}

bool is_whole(const Table& table) {
  for (uint32_t i = 0; i < 4; i++) {
    const Target* target = table.target_at(i);
    if (target == nullptr || target->max_connections != table.generation ||
        !target->name.ends_with(std::to_string(table.generation))) {
      return false;
    }
  }
  return true;
}

void stop_all(TableExchange& exchange, uint32_t workers) {
  for (uint32_t worker = 0; worker < workers; worker++) exchange.stop(worker);
}

TEST_CASE("before the first publication there is no table") {
  TableExchange exchange(2);
  CHECK(exchange.adopt(0) == nullptr);
  CHECK(exchange.published() == nullptr);
  CHECK(exchange.applied_generation() == 0);
}

TEST_CASE("a generation is applied when the last worker has adopted it") {
  TableExchange exchange(3);
  exchange.publish(table_of(5));
  CHECK(exchange.applied_generation() == 0);
  CHECK(exchange.adopt(0)->generation == 5);
  CHECK(exchange.adopt(2)->generation == 5);
  CHECK(exchange.applied_generation() == 0);
  CHECK(exchange.adopt(1)->generation == 5);
  CHECK(exchange.applied_generation() == 5);
  CHECK(exchange.adopt(1) == exchange.published());
  stop_all(exchange, 3);
}

TEST_CASE("a worker may pass a generation without having seen it") {
  TableExchange exchange(2);
  exchange.publish(table_of(1));
  CHECK(exchange.adopt(0)->generation == 1);
  exchange.publish(table_of(2));
  exchange.publish(table_of(3));
  CHECK(exchange.adopt(1)->generation == 3);
  CHECK(exchange.applied_generation() == 1);
  CHECK(exchange.adopt(0)->generation == 3);
  CHECK(exchange.applied_generation() == 3);
  stop_all(exchange, 2);
}

TEST_CASE("a replaced table is freed when its last worker has moved on") {
  TableExchange exchange(2);
  exchange.publish(table_of(1));
  const Table* first = exchange.adopt(0);
  CHECK(exchange.adopt(1) == first);
  exchange.publish(table_of(2));
  CHECK(exchange.adopt(0)->generation == 2);
  exchange.reclaim();
  CHECK(exchange.live_tables() == 2);
  CHECK(is_whole(*first));
  CHECK(exchange.adopt(1)->generation == 2);
  CHECK(exchange.live_tables() == 2);  // only the coordinator frees
  exchange.reclaim();
  CHECK(exchange.live_tables() == 1);
  stop_all(exchange, 2);
}

TEST_CASE("tables that no worker ever adopted are freed when the coordinator reclaims") {
  TableExchange exchange(1);
  for (uint64_t generation = 1; generation <= 1000; generation++) {
    exchange.publish(table_of(generation));
    exchange.reclaim();
    CHECK(exchange.live_tables() == 1);
  }
}

// A busy worker adopts between any two instructions of the coordinator, and its parts look at the
// table before while they change to the new one: publishing must not free that under them.
TEST_CASE("a table lives on while its worker changes from it to the one just published") {
  constexpr uint64_t kGenerations = 3000;
  TableExchange exchange(1);
  exchange.publish(table_of(1));
  std::atomic<uint64_t> changed{0};
  std::atomic<uint32_t> torn{0};
  std::thread worker([&] {
    const Table* before = exchange.adopt(0);
    changed.store(before->generation);
    while (before->generation < kGenerations) {
      const Table* next = exchange.adopt(0);
      if (next == before) continue;
      if (!is_whole(*before)) torn++;
      before = next;
      changed.store(next->generation);
    }
    exchange.stop(0);
  });
  for (uint64_t generation = 2; generation <= kGenerations; generation++) {
    while (changed.load() < generation - 1) std::this_thread::yield();
    exchange.reclaim();
    REQUIRE(exchange.live_tables() == 1);
    exchange.publish(table_of(generation));
    CHECK(exchange.live_tables() == 2);
  }
  worker.join();
  CHECK(torn == 0);
}

TEST_CASE("stalled workers keep one table each, however many are published") {
  constexpr uint32_t kWorkers = 4;
  TableExchange exchange(kWorkers);
  const Table* held[kWorkers] = {};
  for (uint32_t worker = 0; worker < kWorkers; worker++) {
    exchange.publish(table_of(worker + 1));
    held[worker] = exchange.adopt(worker);
  }
  for (uint64_t generation = 10; generation < 3000; generation++) {
    exchange.publish(table_of(generation));
    exchange.reclaim();
    REQUIRE(exchange.live_tables() == kWorkers + 1);
  }
  for (uint32_t worker = 0; worker < kWorkers; worker++) {
    CHECK(held[worker]->generation == worker + 1);
    CHECK(is_whole(*held[worker]));
  }
  CHECK(exchange.applied_generation() == 1);
  stop_all(exchange, kWorkers);
  exchange.reclaim();
  CHECK(exchange.live_tables() == 1);
}

TEST_CASE("a stopped worker holds nothing and nobody waits for it") {
  TableExchange exchange(2);
  exchange.publish(table_of(1));
  CHECK(exchange.adopt(0)->generation == 1);
  CHECK(exchange.adopt(1)->generation == 1);
  exchange.stop(1);
  exchange.publish(table_of(2));
  CHECK(exchange.adopt(0)->generation == 2);
  CHECK(exchange.applied_generation() == 2);
  exchange.reclaim();
  CHECK(exchange.live_tables() == 1);
  exchange.stop(0);
  exchange.publish(table_of(3));
  CHECK(exchange.applied_generation() == 3);
}

// The workers adopt and read as fast as they can while the coordinator publishes and frees; one of
// them stalls on its first table until all is published.
TEST_CASE("workers always read whole tables of rising generations, also beside a stalled one") {
  constexpr uint32_t kWorkers = 4;
  constexpr uint32_t kStalled = 3;
  constexpr uint64_t kGenerations = 3000;
  TableExchange exchange(kWorkers);
  std::atomic<uint32_t> torn{0};
  std::atomic<uint32_t> fallen{0};
  std::atomic<bool> release_stalled{false};
  exchange.publish(table_of(1));

  std::vector<std::thread> threads;
  for (uint32_t worker = 0; worker < kWorkers; worker++) {
    threads.emplace_back([&, worker] {
      uint64_t last = 0;
      while (last < kGenerations) {
        const Table* table = exchange.adopt(worker);
        if (worker == kStalled && last == 0) {
          release_stalled.wait(false);
        }
        if (!is_whole(*table)) torn++;
        if (table->generation < last) fallen++;
        last = table->generation;
        // A worker that polls more often than the coordinator publishes starves it on few cores.
        std::this_thread::yield();
      }
      exchange.stop(worker);
    });
  }
  while (exchange.applied_generation() == 0) std::this_thread::yield();

  uint64_t applied = 0;
  uint32_t live_most = 0;
  for (uint64_t generation = 2; generation <= kGenerations; generation++) {
    exchange.publish(table_of(generation));
    exchange.reclaim();
    live_most = std::max(live_most, exchange.live_tables());
    const uint64_t now = exchange.applied_generation();
    if (now < applied) fallen++;
    applied = now;
    if (generation % 16 == 0) std::this_thread::yield();
  }
  CHECK(live_most <= kWorkers + 1);
  CHECK(applied == 1);
  release_stalled.store(true);
  release_stalled.notify_all();
  while (exchange.applied_generation() < kGenerations) std::this_thread::yield();
  for (std::thread& thread : threads) thread.join();
  exchange.reclaim();
  CHECK(exchange.live_tables() == 1);
  CHECK(torn == 0);
  CHECK(fallen == 0);
}

}  // namespace
}  // namespace sluice::table
