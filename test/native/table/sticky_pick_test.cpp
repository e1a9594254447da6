// Where a client of a sticky pool goes, for every standing of the target that it went to before.
#include "table/sticky_pick.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "os/epoll.h"
#include "os/timer_wheel.h"
#include "shared/region.h"
#include "shared/waiting_board.h"
#include "support/seed.h"

namespace sluice::table {
namespace {

using policy::kNoPick;

constexpr PolicyKind kEveryPolicy[] = {
#define X(name, number, Class) PolicyKind::name,
    SLUICE_POLICIES(X)
#undef X
};

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint32_t kPoolSlot = 4;
constexpr uint32_t kExpireMs = 10'000;

os::ClientAddress client_at(uint8_t last, uint8_t third = 0) {
  os::ClientAddress client;
  const uint8_t ip[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, third, last};
  std::copy(std::begin(ip), std::end(ip), client.ip);
  client.port = 4321;
  client.family = AF_INET;
  return client;
}

// What a worker lends, as far as a pick needs it: one clock, rows of its own, shared counts.
struct PickingWorker {
  PickingWorker(const shared::Region& region, uint32_t index)
      : epoll(os::Epoll::create()),
        wheel(now_ns),
        events(
            region.event_header(index + 1), region.event_records(index + 1), region.header(),
            [](void*) {}, nullptr),
        links{.worker_index = index,
              .options = options,
              .epoll = epoll,
              .wheel = wheel,
              .now_ns = now_ns,
              .events = events,
              .counters = region.worker_counters(index),
              .listeners = region.listener_counters(index),
              .targets = region.target_counters(index),
              .pools = region.pool_counters(index),
              .active = region.active(),
              .listener_active = region.listener_active(),
              .sticky_entries = region.sticky_entries(),
              .turns = region.turn_signals(),
              .responses = region.response_histograms(index),
              .connects = region.connect_histograms(index),
              .ends = region.end_histograms(index),
              .signals = region.signals(),
              .waiting = waiting,
              .retries = retries} {}

  [[nodiscard]] shared::PoolCounters& row() { return links.pools[kPoolSlot]; }

  shared::EngineOptions options;
  uint64_t now_ns = kSecondNs;
  shared::WaitingBoard waiting{1};
  shared::RetryBudgets retries;
  os::Epoll epoll;
  os::TimerWheel wheel;
  shared::EventRing events;
  shared::WorkerLinks links;
  policy::Cursor cursor = policy::seeded_cursor(1);
};

// A pool that hands out its targets in turn: a client that comes twice and is not remembered gets
// two of them.
class StickyPool {
 public:
  StickyPool() : region_(shared::Region::create(2)), entries_(sticky::StickyTable::create(100)) {
    REQUIRE(region_.valid());
    for (uint32_t i = 0; i < 2; i++) {
      workers_.push_back(std::make_unique<PickingWorker>(region_, i));
    }
    for (const char* name : {"a", "b", "c"}) add(name);
    build();
  }

  // Targets in the order of their slots from 7 on; to be changed before build().
  struct Given {
    std::string name;
    bool candidate = true;
    bool serves = true;
    bool renews = true;
    uint32_t max_connections = 0;
  };
  std::vector<Given> given;
  bool refuse = false;
  PolicyKind policy = PolicyKind::round_robin;
  uint32_t prefix_v4 = 32;

  void add(const char* name) { given.push_back({.name = name}); }
  static uint32_t slot_of(size_t index) { return 7 + static_cast<uint32_t>(index); }

  // The next table, with the entries of the last.
  void build() {
    table_ = std::make_unique<Table>();
    std::vector<policy::Candidate> candidates;
    std::vector<StickyTarget> targets;
    for (size_t i = 0; i < given.size(); i++) {
      const Given& one = given[i];
      table_->targets.push_back({.slot = slot_of(i),
                                 .address = {},
                                 .max_connections = one.max_connections,
                                 .serves_sessions = true,
                                 .name = one.name});
      if (one.candidate) candidates.push_back({slot_of(i), 1, one.max_connections, one.name});
      targets.push_back(
          {identity_of(one.name), slot_of(i), one.max_connections, one.serves, one.renews});
    }
    Pool& pool = table_->pools.emplace_back();
    pool.slot = kPoolSlot;
    pool.set_tiers(policy, {Tier(policy, std::move(candidates))});
    pool.stickiness = Stickiness(std::move(targets));
    pool.stickiness.capacity = entries_->capacity();
    pool.stickiness.expire_ms = kExpireMs;
    pool.stickiness.prefix_v4 = prefix_v4;
    pool.stickiness.refuse_when_down = refuse;
    pool.stickiness.entries = entries_;
    table_->index_slots();
  }

  uint32_t pick(const os::ClientAddress& client, uint32_t worker = 0,
                const TriedTargets& tried = {}) {
    PickingWorker& by = *workers_[worker];
    return pick_or_stick(by.links, {*table_, table_->pools[0], {client, client}, tried}, by.cursor);
  }
  // As if the pool were not sticky.
  uint32_t pick_by_policy(const os::ClientAddress& client) {
    PickingWorker& by = *workers_[0];
    return table_->pools[0].pick({client, client}, by.cursor, by.links.signals, {});
  }
  // Whatever its policy looks at, this target is not what it wants.
  void make_unattractive(uint32_t slot) {
    active(slot) = 1000;
    region_.turn_signals()[slot].response_us = 30'000'000;
    region_.bandwidth()[slot].bytes_per_s = 1'000'000'000;
  }
  PickExplanation explain(const os::ClientAddress& client, uint32_t worker = 0,
                          const TriedTargets& tried = {}) {
    PickingWorker& by = *workers_[worker];
    return explain_pick(by.links, {*table_, table_->pools[0], {client, client}, tried}, by.cursor);
  }
  // Everything that a pick may change.
  [[nodiscard]] std::vector<uint64_t> traces() {
    std::vector<uint64_t> all{entries_->size(), shown_size()};
    for (const auto& worker : workers_) {
      const shared::PoolCounters& row = worker->row();
#define X(name, unit, help) all.push_back(row.name.load());
      SLUICE_POOL_COUNTERS(X)
#undef X
      all.push_back(worker->cursor.position);
      all.insert(all.end(), std::begin(worker->cursor.random), std::end(worker->cursor.random));
    }
    for (const sticky::SavedEntry& entry : entries_->saved(0)) {
      all.push_back(entry.identity);
      all.push_back(entry.used_ms);
    }
    return all;
  }
  void fail(const os::ClientAddress& client, uint32_t slot) {
    forget_sticky(workers_[0]->links, table_->pools[0], client, *table_->target_at(slot));
  }
  void advance(uint64_t by_ms) {
    for (const auto& worker : workers_) worker->now_ns += by_ms * 1'000'000;
  }
  [[nodiscard]] shared::PoolCounters& row(uint32_t worker = 0) { return workers_[worker]->row(); }
  [[nodiscard]] std::atomic<uint32_t>& active(uint32_t slot) { return region_.active()[slot]; }
  [[nodiscard]] uint32_t shown_size() { return region_.sticky_entries()[kPoolSlot].load(); }
  Given& target_in(uint32_t slot) { return given[slot - 7]; }

 private:
  shared::Region region_;
  std::shared_ptr<sticky::StickyTable> entries_;
  std::vector<std::unique_ptr<PickingWorker>> workers_;
  std::unique_ptr<Table> table_;
};

TEST_CASE("a client goes where it went before, whichever worker it comes to") {
  StickyPool pool;
  const uint32_t first = pool.pick(client_at(1));
  for (uint32_t i = 0; i < 6; i++) CHECK(pool.pick(client_at(1), i % 2) == first);
  CHECK(pool.pick(client_at(2)) != first);
  CHECK(pool.row(0).sticky_hits.load() == 3);
  CHECK(pool.row(1).sticky_hits.load() == 3);
  CHECK(pool.row(0).sticky_misses.load() == 2);
  CHECK(pool.shown_size() == 2);
}

TEST_CASE("a sticky entry wins over the policy, whichever that is") {
  for (const PolicyKind kind : kEveryPolicy) {
    CAPTURE(static_cast<uint32_t>(kind));
    StickyPool pool;
    pool.policy = kind;
    pool.build();
    // Sent away from where the policy would have it, while that is down.
    StickyPool::Given& wanted = pool.target_in(pool.explain(client_at(1)).slot);
    wanted.candidate = wanted.serves = false;
    pool.build();
    const uint32_t other = pool.pick(client_at(1));
    wanted.candidate = wanted.serves = true;
    pool.build();
    REQUIRE(pool.target_in(other).name != wanted.name);
    pool.make_unattractive(other);
    int elsewhere = 0;
    for (uint32_t i = 0; i < 60; i++) {
      CHECK(pool.explain(client_at(1), i % 2).slot == other);
      CHECK(pool.pick(client_at(1), i % 2) == other);
      if (pool.pick_by_policy(client_at(1)) != other) elsewhere++;
    }
    CHECK(elsewhere > 0);
    CHECK(pool.row(0).sticky_hits.load() + pool.row(1).sticky_hits.load() == 60);
  }
}

TEST_CASE("a prefix sends neighbours to one target") {
  StickyPool pool;
  pool.prefix_v4 = 24;
  pool.build();
  const uint32_t first = pool.pick(client_at(1));
  for (uint8_t last = 2; last < 20; last++) CHECK(pool.pick(client_at(last)) == first);
  CHECK(pool.pick(client_at(1, 1)) != first);
}

TEST_CASE("a client without an address is not told from others, so the policy picks") {
  StickyPool pool;
  os::ClientAddress nobody;
  nobody.family = AF_UNIX;
  CHECK(pool.pick(nobody) != pool.pick(nobody));
  CHECK(pool.shown_size() == 0);
}

TEST_CASE("a client whose target is down moves, and does not move back when that is up again") {
  StickyPool pool;
  const uint32_t first = pool.pick(client_at(1));
  pool.target_in(first).candidate = pool.target_in(first).serves = false;
  pool.build();
  const uint32_t second = pool.pick(client_at(1));
  CHECK(second != first);
  CHECK(pool.row().sticky_moves.load() == 1);
  pool.target_in(first).candidate = pool.target_in(first).serves = true;
  pool.build();
  for (int i = 0; i < 6; i++) CHECK(pool.pick(client_at(1)) == second);
}

TEST_CASE("a client stays on a target that drains, until its time is over") {
  StickyPool pool;
  const uint32_t first = pool.pick(client_at(1));
  StickyPool::Given& target = pool.target_in(first);
  target.candidate = target.renews = false;
  pool.build();
  for (uint64_t passed_ms = 0; passed_ms < kExpireMs; passed_ms += 1000) {
    CHECK(pool.pick(client_at(1)) == first);
    pool.advance(1000);
  }
  CHECK(pool.pick(client_at(1)) != first);
  CHECK(pool.row().sticky_expired.load() == 1);
}

TEST_CASE("a client that keeps coming is remembered, one that does not is forgotten") {
  StickyPool pool;
  const uint32_t first = pool.pick(client_at(1));
  for (int i = 0; i < 5; i++) {
    pool.advance(kExpireMs - 1);
    CHECK(pool.pick(client_at(1)) == first);
  }
  pool.advance(kExpireMs);
  CHECK(pool.pick(client_at(1)) != first);
}

TEST_CASE("a client whose target is full goes elsewhere once, and is not taken from it") {
  StickyPool pool;
  const uint32_t first = pool.pick(client_at(1));
  pool.target_in(first).max_connections = 1;
  pool.build();
  pool.active(first) = 1;
  CHECK(pool.pick(client_at(1)) != first);
  pool.active(first) = 0;
  CHECK(pool.pick(client_at(1)) == first);
  // The race for its last place was lost.
  TriedTargets tried;
  tried.push(first);
  CHECK(pool.pick(client_at(1), 0, tried) != first);
  CHECK(pool.pick(client_at(1)) == first);
  CHECK(pool.row().sticky_moves.load() == 2);
}

TEST_CASE("a client is not sent again where a connect failed") {
  StickyPool pool;
  const uint32_t first = pool.pick(client_at(1));
  CHECK(pool.pick(client_at(1)) == first);
  pool.fail(client_at(1), first);
  TriedTargets tried;
  tried.push(first);
  const uint32_t second = pool.pick(client_at(1), 0, tried);
  CHECK(second != first);
  CHECK(pool.pick(client_at(1)) == second);
  // Late news of the first says nothing about the second.
  pool.fail(client_at(1), first);
  CHECK(pool.pick(client_at(1)) == second);
}

TEST_CASE("where clients are not to be moved, one whose target is down or full is refused") {
  StickyPool pool;
  pool.refuse = true;
  pool.build();
  const uint32_t first = pool.pick(client_at(1));
  CHECK(pool.pick(client_at(1)) == first);
  pool.target_in(first).max_connections = 1;
  pool.build();
  pool.active(first) = 1;
  CHECK(pool.pick(client_at(1)) == kNoPick);
  pool.active(first) = 0;
  pool.target_in(first).candidate = pool.target_in(first).serves = false;
  pool.build();
  CHECK(pool.pick(client_at(1)) == kNoPick);
  CHECK(pool.row().sticky_refusals.load() == 2);
  pool.target_in(first).candidate = pool.target_in(first).serves = true;
  pool.build();
  CHECK(pool.pick(client_at(1)) == first);
  // A connect that fails is no reason either.
  pool.fail(client_at(1), first);
  TriedTargets tried;
  tried.push(first);
  CHECK(pool.pick(client_at(1), 0, tried) == kNoPick);
  CHECK(pool.pick(client_at(1)) == first);
}

TEST_CASE("where clients are not to be moved, one that never got there is not bound to it") {
  StickyPool pool;
  pool.refuse = true;
  pool.build();
  const uint32_t first = pool.pick(client_at(1));
  pool.fail(client_at(1), first);
  TriedTargets tried;
  tried.push(first);
  const uint32_t second = pool.pick(client_at(1), 0, tried);
  CHECK(second != first);
  CHECK(second != kNoPick);
  CHECK(pool.pick(client_at(1)) == second);
}

TEST_CASE("a target that left the pool has no clients, and whoever gets its slot is not it") {
  for (const bool refuse : {false, true}) {
    CAPTURE(refuse);
    StickyPool pool;
    pool.refuse = refuse;
    pool.build();
    std::vector<uint8_t> bound;
    for (uint8_t i = 0; i < 30; i++) {
      if (pool.pick(client_at(i)) == StickyPool::slot_of(0)) bound.push_back(i);
    }
    REQUIRE(bound.size() == 10);
    pool.given[0].name = "new";
    pool.build();
    for (const uint8_t i : bound) CHECK(pool.pick(client_at(i)) != kNoPick);
    CHECK(pool.row().sticky_hits.load() == 0);
    CHECK(pool.row().sticky_moves.load() == bound.size());
    CHECK(pool.row().sticky_refusals.load() == 0);
  }
}

TEST_CASE("a target keeps its clients when it gets another slot") {
  StickyPool pool;
  const uint32_t first = pool.pick(client_at(1));
  const std::string name = pool.target_in(first).name;
  std::rotate(pool.given.begin(), pool.given.begin() + 1, pool.given.end());
  pool.build();
  const uint32_t after = pool.pick(client_at(1));
  CHECK(after != first);
  CHECK(pool.target_in(after).name == name);
}

TEST_CASE("when nothing can be picked, nothing is remembered") {
  StickyPool pool;
  for (StickyPool::Given& target : pool.given) target.candidate = target.serves = false;
  pool.build();
  CHECK(pool.pick(client_at(1)) == kNoPick);
  CHECK(pool.shown_size() == 0);
}

TEST_CASE("at the capacity the client that was seen longest ago is forgotten, and counted") {
  StickyPool pool;
  for (uint8_t i = 0; i < 101; i++) {
    CHECK(pool.pick(client_at(i)) != kNoPick);
    pool.advance(1);
  }
  CHECK(pool.shown_size() == 100);
  CHECK(pool.row().sticky_evicted.load() == 1);
  CHECK(pool.pick(client_at(1)) != kNoPick);
  CHECK(pool.row().sticky_hits.load() == 1);
  CHECK(pool.pick(client_at(0)) != kNoPick);
  CHECK(pool.row().sticky_hits.load() == 1);
}

TEST_CASE("explain says what a client's entry leads to, in every standing of its target") {
  StickyPool pool;
  CHECK(pool.explain(client_at(1)).sticky == StickyStep::miss);
  const uint32_t first = pool.pick(client_at(1));
  const PickExplanation hit = pool.explain(client_at(1));
  CHECK(hit.sticky == StickyStep::hit);
  CHECK(hit.slot == first);
  CHECK(hit.by_policy.candidates.empty());
  pool.target_in(first).max_connections = 1;
  pool.build();
  pool.active(first) = 1;
  const PickExplanation full = pool.explain(client_at(1));
  CHECK(full.sticky == StickyStep::moved_full);
  CHECK(full.sticky_slot == first);
  CHECK(full.slot != first);
  pool.refuse = true;
  pool.build();
  CHECK(pool.explain(client_at(1)).sticky == StickyStep::refused_full);
  CHECK(pool.explain(client_at(1)).slot == kNoPick);
  pool.target_in(first).candidate = pool.target_in(first).serves = false;
  pool.build();
  CHECK(pool.explain(client_at(1)).sticky == StickyStep::refused_down);
  pool.refuse = false;
  pool.build();
  CHECK(pool.explain(client_at(1)).sticky == StickyStep::moved_down);
  pool.target_in(first).name = "another";
  pool.build();
  CHECK(pool.explain(client_at(1)).sticky == StickyStep::moved_gone);
  pool.advance(kExpireMs);
  CHECK(pool.explain(client_at(1)).sticky == StickyStep::miss);
  os::ClientAddress nobody;
  nobody.family = AF_UNIX;
  CHECK(pool.explain(nobody).sticky == StickyStep::none);
}

TEST_CASE("explain leaves no trace in a sticky pool, and the next pick is what it said") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  StickyPool pool;
  for (int step = 0; step < 3000; step++) {
    if (random() % 10 == 0) {
      StickyPool::Given& target = pool.given[random() % pool.given.size()];
      target.candidate = random() % 3 != 0;
      target.serves = target.candidate || random() % 2 == 0;
      target.renews = target.candidate;
      target.max_connections = static_cast<uint32_t>(random() % 3);
      pool.refuse = random() % 4 == 0;
      pool.build();
    }
    for (size_t i = 0; i < pool.given.size(); i++) {
      pool.active(StickyPool::slot_of(i)) = static_cast<uint32_t>(random() % 3);
    }
    pool.advance(random() % 200);
    const os::ClientAddress client = client_at(static_cast<uint8_t>(random() % 40));
    const auto worker = static_cast<uint32_t>(random() % 2);
    const std::vector<uint64_t> before = pool.traces();
    const PickExplanation said = pool.explain(client, worker);
    REQUIRE(pool.traces() == before);
    REQUIRE(pool.pick(client, worker) == said.slot);
  }
}

}  // namespace
}  // namespace sluice::table
