// What a pool picks: tiers by share and in order, nobody twice, nobody who is full, by the client.
#include "table/pool.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <span>
#include <string>

#include "support/policy_fixture.h"

namespace sluice::table {
namespace {

using policy::Candidate;
using policy::kNoPick;
using test::Active;

constexpr PolicyKind kEveryPolicy[] = {
#define X(name, number, Class) PolicyKind::name,
    SLUICE_POLICIES(X)
#undef X
};

os::ClientAddress client_at(const char* text) {
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    return os::ClientAddress::from(reinterpret_cast<const sockaddr*>(&v4), sizeof(v4));
  }
  REQUIRE(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1);
  v6.sin6_family = AF_INET6;
  return os::ClientAddress::from(reinterpret_cast<const sockaddr*>(&v6), sizeof(v6));
}

uint32_t ask(const Pool& pool, const os::ClientAddress& client, policy::Cursor& cursor,
             const Active& active, const TriedTargets& tried) {
  return pool.pick({.client = client, .destination = {}}, cursor, active, tried);
}

// Primaries at the slots 0, 1, ..., backups (a tier without a share) behind them.
Pool pool_of(PolicyKind policy, uint32_t primaries, uint32_t backups, uint32_t limit = 0) {
  static const std::string kNames[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  std::vector<Candidate> tiers[2];
  for (uint32_t slot = 0; slot < primaries + backups; slot++) {
    tiers[slot < primaries ? 0 : 1].push_back(
        {.slot = slot, .weight = 1, .max_connections = limit, .name = kNames[slot]});
  }
  Pool pool;
  pool.set_tiers(policy, {Tier(policy, std::move(tiers[0]), {.share = kWholeShare}),
                          Tier(policy, std::move(tiers[1]))});
  return pool;
}

// Two targets a tier, at the slots 2t and 2t + 1.
Pool spread_pool(PolicyKind policy, std::span<const uint32_t> shares) {
  static const std::string kNames[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
  std::vector<Tier> tiers;
  uint32_t slot = 0;
  for (const uint32_t share : shares) {
    std::vector<Candidate> candidates;
    for (int i = 0; i < 2; i++, slot++) {
      candidates.push_back(
          {.slot = slot, .weight = 1, .max_connections = 10, .name = kNames[slot]});
    }
    tiers.emplace_back(policy, std::move(candidates),
                       TierRank{.settings = {.configured = 2}, .share = share});
  }
  Pool pool;
  pool.set_tiers(policy, std::move(tiers));
  return pool;
}

os::ClientAddress client_number(uint32_t number) {
  os::ClientAddress client = client_at("10.0.0.0");
  for (uint32_t i = 0; i < 3; i++) client.ip[15 - i] = static_cast<uint8_t>(number >> (8 * i));
  return client;
}

// How many of `clients` clients begin with each tier.
std::vector<uint32_t> spread(const Pool& pool, uint32_t clients) {
  std::vector<uint32_t> counts(pool.tiers().size());
  const Active active(2 * pool.tiers().size());
  policy::Cursor cursor = policy::seeded_cursor(1);
  for (uint32_t i = 0; i < clients; i++) {
    counts.at(ask(pool, client_number(i), cursor, active, {}) / 2)++;
  }
  return counts;
}

TEST_CASE("a pool picks primaries while it can, then backups, then nothing") {
  for (const PolicyKind policy : kEveryPolicy) {
    CAPTURE(static_cast<uint32_t>(policy));
    const Pool pool = pool_of(policy, 3, 2);
    const Active active(5);
    policy::Cursor cursor = policy::seeded_cursor(1);
    const os::ClientAddress client = client_at("192.0.2.1");
    TriedTargets tried;
    std::vector<uint32_t> order;
    for (uint32_t slot = 0; slot != kNoPick; order.push_back(slot)) {
      slot = ask(pool, client, cursor, active, tried);
      if (slot != kNoPick) tried.push(slot);
    }
    REQUIRE(order.size() == 6);
    CHECK(std::set<uint32_t>(order.begin(), order.begin() + 3) == std::set<uint32_t>{0, 1, 2});
    CHECK(std::set<uint32_t>(order.begin() + 3, order.begin() + 5) == std::set<uint32_t>{3, 4});
  }
}

TEST_CASE("a pool fills every target to its limit, primaries first, and stops there") {
  for (const PolicyKind policy : kEveryPolicy) {
    CAPTURE(static_cast<uint32_t>(policy));
    const Pool pool = pool_of(policy, 3, 2, 10);
    Active active(5);
    policy::Cursor cursor = policy::seeded_cursor(1);
    const os::ClientAddress client = client_at("192.0.2.1");
    for (int i = 0; i < 50; i++) {
      const uint32_t slot = ask(pool, client, cursor, active, {});
      REQUIRE(slot != kNoPick);
      CHECK((slot < 3) == (i < 30));
      active[slot]++;
    }
    for (uint32_t slot = 0; slot < 5; slot++) CHECK(active[slot] == 10);
    CHECK(ask(pool, client, cursor, active, {}) == kNoPick);
    active[1]--;
    CHECK(ask(pool, client, cursor, active, {}) == 1);
  }
}

TEST_CASE("a pool that counts turns picks by them, and keeps its limits by connections") {
  for (const PolicyKind kind : {PolicyKind::least_connections, PolicyKind::power_of_two,
                                PolicyKind::least_response_time, PolicyKind::hot_cold}) {
    Pool pool = pool_of(kind, 2, 0);
    Active active(2);
    // Many pooled connections, all idle, against a few that all wait.
    active[0] = 500;
    active.turns(1) = 3;
    policy::Cursor cursor = policy::seeded_cursor(7);
    const os::ClientAddress client = client_at("192.0.2.1");
    CHECK(pool.pick({client, {}}, cursor, active, {}) == 1);
    pool.load_turns = true;
    CHECK(pool.pick({client, {}}, cursor, active, {}) == 0);
  }
}

TEST_CASE("a pool without candidates picks nothing") {
  const Pool pool;
  const Active active(1);
  policy::Cursor cursor = policy::seeded_cursor(1);
  CHECK(ask(pool, client_at("192.0.2.1"), cursor, active, {}) == kNoPick);
}

TEST_CASE("a pool with backups only picks those") {
  const Pool pool = pool_of(PolicyKind::round_robin, 0, 2);
  const Active active(2);
  policy::Cursor cursor = policy::seeded_cursor(1);
  CHECK(ask(pool, client_at("192.0.2.1"), cursor, active, {}) < 2);
}

TEST_CASE("turns of the backups leave the primaries' turns alone") {
  const Pool pool = pool_of(PolicyKind::round_robin, 2, 2);
  const Active active(4);
  policy::Cursor cursor = policy::seeded_cursor(1);
  TriedTargets primaries;
  primaries.push(0);
  primaries.push(1);
  std::vector<uint64_t> counts(4);
  for (int i = 0; i < 100; i++) {
    counts.at(ask(pool, client_at("192.0.2.1"), cursor, active, {}))++;
    counts.at(ask(pool, client_at("192.0.2.1"), cursor, active, primaries))++;
  }
  CHECK(counts == std::vector<uint64_t>{50, 50, 50, 50});
}

TEST_CASE("tiers get the shares that the table gives them, by every policy") {
  for (const PolicyKind policy : kEveryPolicy) {
    CAPTURE(static_cast<uint32_t>(policy));
    constexpr uint32_t kClients = 100'000;
    constexpr uint32_t kShares[] = {5000, 3500, 0, 1500};
    const std::vector<uint32_t> counts = spread(spread_pool(policy, kShares), kClients);
    // Four standard deviations of a binomial of one half are 632; the generator's seed is fixed.
    for (size_t t = 0; t < counts.size(); t++) {
      CHECK(std::abs(static_cast<double>(counts[t]) - kShares[t] * 10.0) < 700);
    }
    CHECK(counts[2] == 0);
  }
}

TEST_CASE("what the shares leave over begins with the first tier") {
  constexpr uint32_t kShares[] = {0, 2500, 0};
  const std::vector<uint32_t> counts = spread(spread_pool(PolicyKind::random, kShares), 100'000);
  CHECK(std::abs(static_cast<double>(counts[0]) - 75'000) < 700);
  CHECK(counts[2] == 0);
}

TEST_CASE("a tier that can pick nothing passes on to the first in order that can") {
  for (const PolicyKind policy : kEveryPolicy) {
    CAPTURE(static_cast<uint32_t>(policy));
    constexpr uint32_t kShares[] = {0, 0, 10'000};
    const Pool pool = spread_pool(policy, kShares);
    Active active(6);
    policy::Cursor cursor = policy::seeded_cursor(1);
    for (const uint32_t tier : {2U, 0U, 1U}) {
      for (int i = 0; i < 20; i++) {
        const uint32_t slot = ask(pool, client_number(1), cursor, active, {});
        REQUIRE(slot != kNoPick);
        CHECK(slot / 2 == tier);
        active[slot]++;
      }
    }
    CHECK(ask(pool, client_number(1), cursor, active, {}) == kNoPick);
  }
}

TEST_CASE("under source_hash a client keeps its tier while that keeps its share") {
  constexpr uint32_t kClients = 20'000;
  constexpr uint32_t kAll[] = {10'000, 0, 0};
  constexpr uint32_t kHalf[] = {7000, 3000, 0};
  constexpr uint32_t kQuarter[] = {3500, 3500, 3000};
  const Pool all = spread_pool(PolicyKind::source_hash, kAll);
  const Pool half = spread_pool(PolicyKind::source_hash, kHalf);
  const Pool quarter = spread_pool(PolicyKind::source_hash, kQuarter);
  const Active active(6);
  const auto pick = [&active](const Pool& pool, uint32_t client, uint64_t seed) {
    policy::Cursor cursor = policy::seeded_cursor(seed);
    return ask(pool, client_number(client), cursor, active, {});
  };
  uint32_t moved = 0;
  for (uint32_t client = 0; client < kClients; client++) {
    const uint32_t before = pick(all, client, 1);
    const uint32_t after = pick(half, client, 1);
    CHECK(pick(half, client, 2) == after);  // whichever worker asks
    if (after != before) moved++;
    if (after / 2 == 0) CHECK(after == before);
    // Nobody moves up when shares move down.
    CHECK(pick(quarter, client, 1) / 2 >= after / 2);
  }
  CHECK(std::abs(static_cast<double>(moved) - 0.3 * kClients) < 260);  // 4 standard deviations
}

TEST_CASE("source_hash sees only the leading bits of the client's address") {
  Pool pool = pool_of(PolicyKind::source_hash, 10, 0);
  const Active active(10);
  const auto pick = [&](const std::string& client) {
    policy::Cursor cursor;
    return ask(pool, client_at(client.c_str()), cursor, active, {});
  };
  std::set<uint32_t> whole;
  for (int i = 0; i < 256; i++) whole.insert(pick("192.0.2." + std::to_string(i)));
  CHECK(whole.size() == 10);
  CHECK(pick("192.0.2.1") == pick("::ffff:192.0.2.1"));

  pool.hash_prefix_v4 = 24;
  pool.hash_prefix_v6 = 64;
  for (int i = 0; i < 256; i++) {
    CHECK(pick("192.0.2." + std::to_string(i)) == pick("192.0.2.0"));
    CHECK(pick("2001:db8::" + std::to_string(i)) == pick("2001:db8::"));
  }
  std::set<uint32_t> networks;
  for (int i = 0; i < 200; i++) networks.insert(pick("10.0." + std::to_string(i) + ".1"));
  CHECK(networks.size() == 10);
  networks.clear();
  for (int i = 0; i < 200; i++) networks.insert(pick("2001:db8:0:" + std::to_string(i) + "::1"));
  CHECK(networks.size() == 10);

  pool.hash_prefix_v4 = 0;
  CHECK(pick("192.0.2.1") == pick("10.9.8.7"));
}

TEST_CASE("a key of source and port tells the ports of a client apart, and its network too") {
  Pool pool = pool_of(PolicyKind::maglev, 10, 0);
  pool.key = PolicyKey::source_port;
  const Active active(10);
  const auto pick_at = [&](const char* address, uint16_t port) {
    policy::Cursor cursor;
    os::ClientAddress client = client_at(address);
    client.port = port;
    return ask(pool, client, cursor, active, {});
  };
  std::set<uint32_t> picked;
  for (uint16_t port = 1; port < 256; port++) picked.insert(pick_at("192.0.2.1", port));
  CHECK(picked.size() == 10);
  CHECK(pick_at("192.0.2.1", 80) == pick_at("192.0.2.1", 80));
  pool.hash_prefix_v4 = 24;
  for (uint16_t port = 1; port < 256; port++) {
    CHECK(pick_at("192.0.2.1", port) == pick_at("192.0.2.2", port));
  }
}

TEST_CASE("a key of the destination looks at the address and port that the client used") {
  Pool pool = pool_of(PolicyKind::ring_hash, 10, 0);
  pool.key = PolicyKey::destination;
  CHECK(pool.asks_for_destination());
  const Active active(10);
  const auto pick_for = [&](const char* from, const char* to, uint16_t port) {
    policy::Cursor cursor;
    os::ClientAddress destination = client_at(to);
    destination.port = port;
    return pool.pick({.client = client_at(from), .destination = destination}, cursor, active, {});
  };
  std::set<uint32_t> picked;
  for (uint16_t port = 1; port < 256; port++) {
    picked.insert(pick_for("192.0.2.1", "198.51.100.1", port));
    CHECK(pick_for("192.0.2.1", "198.51.100.1", port) ==
          pick_for("203.0.113.9", "198.51.100.1", port));
  }
  CHECK(picked.size() == 10);
  picked.clear();
  for (int i = 0; i < 200; i++) {
    picked.insert(pick_for("192.0.2.1", ("198.51.100." + std::to_string(i)).c_str(), 80));
  }
  CHECK(picked.size() == 10);
}

TEST_CASE("the list of tried targets is bounded and keeps what it has") {
  TriedTargets tried;
  for (uint32_t slot = 0; slot < 100; slot++) tried.push(slot);
  CHECK(tried.count == kRetriesMax + 1);
  CHECK(tried.contains(kRetriesMax));
  CHECK_FALSE(tried.contains(kRetriesMax + 1));
}

}  // namespace
}  // namespace sluice::table
