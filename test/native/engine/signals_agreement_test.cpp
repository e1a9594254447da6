// Explain and the next real pick agree where policies pick by what moves with the clock: response
// times and bandwidths as workers and the coordinator write them, at one reading of a clock that
// the test moves.
#include <doctest/doctest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/target_signals.h"
#include "shared/response_time.h"
#include "support/seed.h"

namespace sluice::engine {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint32_t kTargets = 7;

constexpr table::PolicyKind kEveryPolicy[] = {
#define X(name, number, Class) table::PolicyKind::name,
    SLUICE_POLICIES(X)
#undef X
};

// A pool of all targets, and the seconds of their lives.
class LivingPool {
 public:
  LivingPool(table::PolicyKind kind, std::mt19937_64& random)
      : random_(random), now_ns_(random() % (1000 * kSecondNs)) {
    REQUIRE(region_.valid());
    std::vector<policy::Candidate> candidates;
    for (uint32_t slot = 0; slot < kTargets; slot++) {
      table_.targets.push_back(
          {.slot = slot, .address = {}, .name = "target-" + std::to_string(slot), .pool_slot = 0});
      candidates.push_back({.slot = slot, .weight = static_cast<uint32_t>(1 + random() % 5)});
    }
    table::Pool& pool = table_.pools.emplace_back();
    pool.load_turns = random() % 2 == 0;
    pool.set_tiers(kind, {table::Tier(kind, std::move(candidates))});
    table_.index_slots();
  }

  // Something happens to some targets, and up to two seconds pass.
  void live() {
    for (uint32_t slot = 0; slot < kTargets; slot++) {
      shared::TurnSignals& turns = region_.turn_signals()[slot];
      turns.active_turns = static_cast<uint32_t>(random_() % 4);
      region_.active()[slot] = static_cast<uint32_t>(random_() % 4);
      if (random_() % 3 == 0) shared::note_response(turns.response_us, random_() % 200'000);
      if (random_() % 10 == 0) shared::note_failure(turns.response_us);
      if (random_() % 3 == 0) {
        shared::add(region_.target_counters(0)[slot].to_client_bytes, random_() % 1'000'000);
      }
    }
    now_ns_ += random_() % (2 * kSecondNs);
    signals_.turn(&table_, now_ns_);
  }

  [[nodiscard]] const table::Pool& pool() const { return table_.pools[0]; }
  [[nodiscard]] policy::Signals signals() const { return region_.signals(); }

 private:
  std::mt19937_64& random_;
  shared::Region region_ = shared::Region::create(1);
  table::Table table_;
  TargetSignals signals_{region_};
  uint64_t now_ns_;
};

TEST_CASE("explain and the next pick agree at one moment of a clock that moves what they look at") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const os::ClientAddress nobody;
  int kinds = 0;
  for (const table::PolicyKind kind : kEveryPolicy) {
    if (!table::reads_signals(kind)) continue;
    kinds++;
    CAPTURE(static_cast<uint32_t>(kind));
    for (int life = 0; life < 20; life++) {
      LivingPool living(kind, random);
      policy::Cursor cursor = policy::seeded_cursor(random());
      for (int moment = 0; moment < 100; moment++) {
        living.live();
        table::TriedTargets tried;
        for (uint64_t n = random() % 3; n > 0; n--) {
          tried.push(static_cast<uint32_t>(random() % kTargets));
        }
        const auto ask = [&] {
          return living.pool().explain({nobody, nobody}, cursor, living.signals(), tried);
        };
        const uint32_t told = ask().slot;
        REQUIRE(told != policy::kNoPick);
        REQUIRE(ask().slot == told);
        REQUIRE(living.pool().pick({nobody, nobody}, cursor, living.signals(), tried) == told);
      }
    }
  }
  // least_response_time, least_bandwidth, hot_cold, and whoever else comes to look.
  CHECK(kinds >= 3);
}

}  // namespace
}  // namespace sluice::engine
