// Explain and the next real pick agree, whatever the pool: policies, tiers, limits, turns.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "support/policy_fixture.h"
#include "support/seed.h"
#include "table/pool.h"

namespace sluice::table {
namespace {

using policy::kNoPick;
using test::Active;

constexpr PolicyKind kEveryPolicy[] = {
#define X(name, number, Class) PolicyKind::name,
    SLUICE_POLICIES(X)
#undef X
};

constexpr uint32_t kTargets = 12;

const std::string& name_of(uint32_t slot) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (uint32_t i = 0; i < kTargets; i++) made.push_back("target-" + std::to_string(i));
    return made;
  }();
  return names[slot];
}

const os::ClientAddress nobody;

os::ClientAddress random_client(std::mt19937_64& random) {
  os::ClientAddress client;
  client.family = random() % 2 == 0 ? AF_INET : AF_INET6;
  if (client.family == AF_INET) client.ip[10] = client.ip[11] = 0xff;
  for (size_t i = client.family == AF_INET ? 12 : 0; i < 16; i++) {
    client.ip[i] = static_cast<uint8_t>(random());
  }
  client.port = static_cast<uint16_t>(random());
  return client;
}

// Up to four tiers over some of the targets; some with a share, some with limits.
Pool random_pool(PolicyKind kind, std::mt19937_64& random) {
  const auto count = static_cast<uint32_t>(1 + random() % 4);
  std::vector<Tier> tiers;
  uint32_t slot = 0;
  uint32_t share = kWholeShare;
  for (uint32_t i = 0; i < count; i++) {
    std::vector<policy::Candidate> candidates;
    for (uint64_t size = random() % 4; size > 0; size--, slot++) {
      candidates.push_back({.slot = slot,
                            .weight = static_cast<uint32_t>(1 + random() % 5),
                            .max_connections = static_cast<uint32_t>(random() % 4),
                            .name = name_of(slot)});
    }
    const auto own = static_cast<uint32_t>(random() % (share + 1));
    share -= own;
    tiers.emplace_back(kind, std::move(candidates),
                       TierRank{.settings = {.configured = 3}, .share = own});
  }
  Pool pool;
  pool.load_turns = random() % 2 == 0;
  pool.set_tiers(kind, std::move(tiers));
  return pool;
}

void check_notes(const Pool& pool, const PickRecord& record, Active& active,
                 const TriedTargets& tried) {
  size_t index = 0;
  for (uint32_t tier = 0; tier < pool.tiers().size(); tier++) {
    for (const policy::Candidate& candidate : pool.tiers()[tier].candidates()) {
      const CandidateNote& note = record.candidates.at(index++);
      REQUIRE(note.slot == candidate.slot);
      REQUIRE(note.tier == tier);
      REQUIRE(note.active == active[note.slot]);
      REQUIRE(note.load == (pool.load_turns ? active.turns(note.slot) : active[note.slot]));
      const bool full = note.max_connections != 0 && note.active >= note.max_connections;
      const Standing should = tried.contains(note.slot) ? Standing::tried
                              : full                    ? Standing::full
                                                        : Standing::usable;
      // Every tier is asked before nothing is picked.
      if (record.slot == kNoPick || note.tier == record.tier) REQUIRE(note.standing == should);
      if (note.standing != Standing::not_asked) REQUIRE(note.standing == should);
      if (note.slot == record.slot) REQUIRE(note.tier == record.tier);
    }
  }
  REQUIRE(index == record.candidates.size());
}

TEST_CASE("explain and the next pick agree for every policy, over tiers, limits and signals") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const PolicyKind kind : kEveryPolicy) {
    CAPTURE(static_cast<uint32_t>(kind));
    for (int round = 0; round < 200; round++) {
      const Pool pool = random_pool(kind, random);
      Active active(kTargets);
      policy::Cursor cursor = policy::seeded_cursor(random());
      for (int pick = 0; pick < 20; pick++) {
        for (uint32_t slot = 0; slot < kTargets; slot++) {
          active[slot] = static_cast<uint32_t>(random() % 4);
          active.turns(slot) = static_cast<uint32_t>(random() % 4);
          active.response_us(slot) = static_cast<uint32_t>(random() % 3 * (random() % 5000));
          active.bandwidth(slot).bytes_per_s = random() % 3 * (random() % 100'000);
          active.bandwidth(slot).active = static_cast<uint32_t>(random() % 4);
        }
        TriedTargets tried;
        for (uint64_t n = random() % 3; n > 0; n--) {
          tried.push(static_cast<uint32_t>(random() % kTargets));
        }
        const os::ClientAddress client = random_client(random);
        const PickRecord record = pool.explain({client, client}, cursor, active, tried);
        check_notes(pool, record, active, tried);
        // Asked twice it says the same: it has moved nothing.
        REQUIRE(pool.explain({client, client}, cursor, active, tried).slot == record.slot);
        REQUIRE(pool.pick({client, client}, cursor, active, tried) == record.slot);
      }
    }
  }
}

TEST_CASE("explain tells the scores of a policy that compares, and that the best one has won") {
  Pool pool;
  std::vector<policy::Candidate> candidates;
  for (uint32_t slot = 0; slot < 4; slot++) {
    candidates.push_back({.slot = slot, .weight = slot + 1, .name = name_of(slot)});
  }
  constexpr PolicyKind kKind = PolicyKind::least_connections;
  pool.set_tiers(kKind, {Tier(kKind, std::move(candidates), {.share = kWholeShare})});
  Active active(4);
  for (size_t slot = 0; slot < 4; slot++) active[slot] = 5;
  const policy::Cursor cursor = policy::seeded_cursor(1);
  const PickRecord record = pool.explain({nobody, nobody}, cursor, active, {});
  CHECK(record.slot == 3);
  for (const CandidateNote& note : record.candidates) {
    CHECK(note.score == doctest::Approx(6.0 / (note.slot + 1)));
  }
}

TEST_CASE("explain says which tier a pick began with, and which one had somebody") {
  constexpr PolicyKind kKind = PolicyKind::round_robin;
  std::vector<Tier> tiers;
  for (uint32_t slot = 0; slot < 2; slot++) {
    std::vector<policy::Candidate> one;
    one.push_back({.slot = slot, .weight = 1, .max_connections = 1, .name = name_of(slot)});
    tiers.emplace_back(kKind, std::move(one), TierRank{.share = slot == 0 ? kWholeShare : 0});
  }
  Pool pool;
  pool.set_tiers(kKind, std::move(tiers));
  Active active(2);
  const policy::Cursor cursor = policy::seeded_cursor(1);
  const PickRecord first = pool.explain({nobody, nobody}, cursor, active, {});
  CHECK(first.slot == 0);
  CHECK(first.candidates[1].standing == Standing::not_asked);
  active[0] = 1;
  const PickRecord second = pool.explain({nobody, nobody}, cursor, active, {});
  CHECK(second.first_tier == 0);
  CHECK(second.tier == 1);
  CHECK(second.slot == 1);
  CHECK(second.candidates[0].standing == Standing::full);
  active[1] = 1;
  const PickRecord none = pool.explain({nobody, nobody}, cursor, active, {});
  CHECK(none.slot == kNoPick);
  CHECK(none.tier == kNoPick);
}

}  // namespace
}  // namespace sluice::table
