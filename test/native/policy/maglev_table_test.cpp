// The Maglev table: balance, few moves, and the same answer on every instance.
#include "policy/maglev_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "policy/stable_hash.h"
#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Candidates;

// Every slot's owner, in the table's order: one hash in the middle of each slot's range.
std::vector<uint32_t> owners_of(const MaglevTable& table) {
  std::vector<uint32_t> owners(table.size());
  for (uint64_t slot = 0; slot < table.size(); slot++) {
    owners[slot] = table.lookup((((slot << 32U) + (1U << 31U)) / table.size()) << 32U);
  }
  return owners;
}

std::vector<uint64_t> slots_per_candidate(const MaglevTable& table, size_t count) {
  std::vector<uint64_t> slots(count);
  for (const uint32_t owner : owners_of(table)) slots.at(owner)++;
  return slots;
}

TEST_CASE("a lookup reaches every slot of the table") {
  const Candidates candidates(test::equal_weights(3));
  const MaglevTable table(candidates);
  CHECK(table.size() == 65537);
  CHECK(table.lookup(0) < 3);
  CHECK(table.lookup(UINT64_MAX) < 3);
  const auto slots = slots_per_candidate(table, 3);
  CHECK(slots[0] + slots[1] + slots[2] == 65537);
}

TEST_CASE("equal targets own equal parts of the table to within one slot") {
  for (const size_t count : {1, 2, 7, 100, 655}) {
    const Candidates candidates(test::equal_weights(count));
    const auto slots = slots_per_candidate(MaglevTable(candidates), count);
    const auto [least, most] = std::minmax_element(slots.begin(), slots.end());
    CHECK(*most - *least <= 1);
  }
}

TEST_CASE("targets own parts of the table by weight") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const size_t count : {2, 10, 100, 600}) {
    const auto weights = test::random_weights(random, count, 65535);
    const Candidates candidates(weights);
    const MaglevTable table(candidates);
    const auto slots = slots_per_candidate(table, count);
    for (size_t i = 0; i < count; i++) {
      const double expected = table.size() * weights[i] / test::sum_of(weights);
      // Turns come at fixed times, so nobody is more than one turn from his share.
      CHECK(std::abs(static_cast<double>(slots[i]) - expected) <= 1.5);
    }
  }
}

TEST_CASE("a weight of 1 beside 65535 owns its slot of the table") {
  const Candidates candidates(std::vector<uint32_t>{65535, 1});
  const auto slots = slots_per_candidate(MaglevTable(candidates), 2);
  CHECK(slots[1] == 1);
}

TEST_CASE("tables of the same targets in another order agree on every slot") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const uint32_t weight_max : {1U, 3U, 65535U}) {
    const Candidates candidates(test::random_weights(random, 80, weight_max));
    std::vector<Candidate> shuffled = candidates.list();
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    const MaglevTable table(candidates);
    const MaglevTable other{std::span<const Candidate>(shuffled)};
    const auto owners = owners_of(table);
    const auto others = owners_of(other);
    for (size_t slot = 0; slot < owners.size(); slot++) {
      REQUIRE(candidates.list()[owners[slot]].name == shuffled[others[slot]].name);
    }
  }
}

struct Moves {
  double removed = 0;   // share of the table that the removed target had
  double needless = 0;  // share that changed hands though its owner stayed
};

Moves moves_without(const Candidates& candidates, size_t gone) {
  std::vector<Candidate> rest = candidates.list();
  rest.erase(rest.begin() + static_cast<ptrdiff_t>(gone));
  const MaglevTable before(candidates);
  const MaglevTable after{std::span<const Candidate>(rest)};
  const auto owners = owners_of(before);
  const auto others = owners_of(after);
  Moves moves;
  for (size_t slot = 0; slot < owners.size(); slot++) {
    if (owners[slot] == gone) {
      moves.removed += 1.0 / before.size();
    } else if (candidates.list()[owners[slot]].name != rest[others[slot]].name) {
      moves.needless += 1.0 / before.size();
    }
  }
  return moves;
}

TEST_CASE("removing one target moves few clients of the others") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const size_t count : {2, 3, 10, 30, 100, 600}) {
    for (const uint32_t weight_max : {1U, 10U}) {
      const Candidates candidates(test::random_weights(random, count, weight_max));
      double worst = 0;
      for (int round = 0; round < 5; round++) {
        const Moves moves = moves_without(candidates, random() % count);
        worst = std::max(worst, moves.needless);
      }
      MESSAGE(count << " targets, weights to " << weight_max << ": at most " << worst * 100
                    << " % moved needlessly");
      CHECK(worst < 0.03);
    }
  }
}

TEST_CASE("the table grows with the targets, to 100 slots each") {
  const auto size = [](size_t count, uint32_t configured = 0) {
    const Candidates candidates(test::equal_weights(count));
    return MaglevTable(candidates, {.configured = configured}).size();
  };
  CHECK(size(655) == 65537);
  CHECK(size(656) == 262147);
  CHECK(size(2622) == 655373);
  CHECK(size(16384) == 1638431);
  // By the config's number, so that one unhealthy target does not change the size.
  CHECK(size(655, 656) == 262147);
  CHECK(size(1, 5000) == 655373);
}

TEST_CASE("every size of table is a prime") {
  for (const uint32_t size : {65537U, 262147U, 655373U, 1638431U}) {
    bool prime = true;
    for (uint32_t divisor = 2; divisor * divisor <= size; divisor++) {
      prime = prime && size % divisor != 0;
    }
    CHECK(prime);
  }
}

TEST_CASE("a table of 5000 targets is built quickly") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const uint32_t weight_max : {1U, 10U, 65535U}) {
    const Candidates candidates(test::random_weights(random, 5000, weight_max));
    const auto start = std::chrono::steady_clock::now();
    const MaglevTable table(candidates);
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    CHECK(table.size() == 655373);
    MESSAGE("5000 targets, weights to " << weight_max << ": " << taken.count() << " ms");
  }
}

// Worked out a second time, in another language, with fractions as times of turns.
TEST_CASE("the table of a known set of targets is what it has always been") {
  const std::string names[] = {"redis-1", "redis-2", "redis-3"};
  const Candidate candidates[] = {{.slot = 0, .weight = 1, .name = names[0]},
                                  {.slot = 1, .weight = 2, .name = names[1]},
                                  {.slot = 2, .weight = 1, .name = names[2]}};
  const auto owners = owners_of(MaglevTable(candidates));
  uint64_t digest = 0;
  for (const uint32_t owner : owners) digest = mix64(digest + owner + 1);
  CHECK(digest == 0xfc3816c94474dff3U);
}

}  // namespace
}  // namespace sluice::policy
