// The consistent policies: a key keeps its target, what is unusable is replaced deterministically,
// and a bound on the load holds.
#include "policy/consistent.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "policy/maglev.h"
#include "policy/ring_hash.h"
#include "policy/source_hash.h"
#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Active;
using test::Candidates;

Key client(uint64_t number) {
  return {.high = 0, .low = 0xffff'0a00'0000U + number};
}

// Without a bound the loads are not looked at.
template <typename Policy, typename Usable>
uint32_t pick(const Policy& policy, uint64_t number, const Usable& usable) {
  return policy.pick(client(number), {}, usable);
}

TEST_CASE("maglev spreads neighbouring addresses by weight") {
  const std::vector<uint32_t> weights{1, 2, 3, 4};
  const Candidates candidates(weights);
  const Maglev policy(candidates);
  const auto counts = test::counts_of(4, 200'000, [&, number = uint64_t{0}]() mutable {
    return pick(policy, number++, test::any);
  });
  CHECK(test::deviations(counts, weights) < 6);
}

std::string picks_of_known_clients(const auto& policy) {
  std::string picks;
  for (uint64_t number = 0; number < 32; number++) {
    picks += static_cast<char>('1' + pick(policy, number, test::any));
  }
  return picks;
}

TEST_CASE("known clients go where they have always gone") {
  const std::string names[] = {"redis-1", "redis-2", "redis-3", "redis-4"};
  std::vector<Candidate> list;
  for (uint32_t i = 0; i < 4; i++) list.push_back({.slot = i, .name = names[i]});
  const std::span<const Candidate> candidates(list);
  const std::string source_hash = picks_of_known_clients(SourceHash(candidates));
  const std::string maglev = picks_of_known_clients(Maglev(candidates));
  const std::string ring_hash = picks_of_known_clients(RingHash(candidates));
  CHECK(source_hash == "23114241311314414142421133432332");
  CHECK(maglev == source_hash);
  CHECK(ring_hash == "44414133412121211114233433341124");
}

TEST_CASE_TEMPLATE("only the clients of an unusable target move, and they spread", Policy, Maglev,
                   RingHash) {
  constexpr uint32_t kTargets = 8;
  const Candidates candidates(test::equal_weights(kTargets));
  const Policy policy(candidates);
  std::vector<uint64_t> owned(kTargets);
  std::vector<uint64_t> moved(kTargets);
  for (uint64_t number = 0; number < 100'000; number++) {
    const uint32_t before = pick(policy, number, test::any);
    const uint32_t after = pick(policy, number, [](uint32_t index) { return index != 3; });
    owned.at(before)++;
    if (before != 3) {
      REQUIRE(after == before);
    } else {
      moved.at(after)++;
    }
  }
  CHECK(moved[3] == 0);
  // Hashed again they fall as all do, so by what each of the others owns: not onto one neighbour.
  owned.erase(owned.begin() + 3);
  moved.erase(moved.begin() + 3);
  const std::vector<uint32_t> shares(owned.begin(), owned.end());
  CHECK(test::deviations(moved, shares) < 6);
}

TEST_CASE_TEMPLATE("an instance with another order of targets picks the same", Policy, Maglev,
                   RingHash) {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const Candidates candidates(test::random_weights(random, 200, 5));
  std::vector<Candidate> shuffled = candidates.list();
  std::shuffle(shuffled.begin(), shuffled.end(), random);
  const Policy policy(candidates);
  const Policy other{std::span<const Candidate>(shuffled)};
  // Two of 200 usable: mostly beyond the hashes, in the scan.
  const auto usable = [](const Candidate& candidate) {
    return candidate.slot == 17 || candidate.slot == 170;
  };
  std::vector<uint64_t> counts(200);
  for (uint64_t number = 0; number < 2000; number++) {
    REQUIRE(candidates.list()[pick(policy, number, test::any)].name ==
            shuffled[pick(other, number, test::any)].name);
    const uint32_t here =
        pick(policy, number, [&](uint32_t i) { return usable(candidates.list()[i]); });
    const uint32_t there = pick(other, number, [&](uint32_t i) { return usable(shuffled[i]); });
    REQUIRE(candidates.list()[here].name == shuffled[there].name);
    counts[here]++;
  }
  CHECK(counts[17] > 500);
  CHECK(counts[170] > 500);
}

// ceil((total + 1) x percent / 100 x weight / weights), as semantics.md has it, in another way.
uint64_t places_of(uint64_t total, uint32_t percent, uint32_t weight, uint64_t weights) {
  uint64_t places = 0;
  while (places * 100 * weights < (total + 1) * percent * weight) places++;
  return places;
}

TEST_CASE_TEMPLATE("with a bound no target gets more than its part of the load", Policy, Maglev,
                   RingHash) {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const uint32_t percent : {125U, 150U, 200U, 1000U}) {
    const auto weights = test::random_weights(random, 1 + random() % 30, 4);
    const Candidates candidates(weights);
    const auto sum = static_cast<uint64_t>(test::sum_of(weights));
    const Policy policy{candidates, {.bounded_load = percent}};
    Active active(weights.size());
    std::vector<uint32_t> open;
    for (int step = 0; step < 3000; step++) {
      // A third of all comes with one popular key.
      const uint64_t number = random() % 3 == 0 ? 7 : random() % 1000;
      const uint32_t picked = policy.pick(client(number), active, test::any);
      REQUIRE(active[picked] < places_of(open.size(), percent, weights[picked], sum));
      active[picked]++;
      open.push_back(picked);
      // Falls as well as rises.
      while (random() % 100 < (step % 1000 < 500 ? 30 : 60) && !open.empty()) {
        std::swap(open[random() % open.size()], open.back());
        active[open.back()]--;
        open.pop_back();
      }
    }
  }
}

TEST_CASE_TEMPLATE("with a bound a key returns to its first choice when that has room", Policy,
                   Maglev, RingHash) {
  const Candidates candidates(test::equal_weights(5));
  const Policy plain(candidates);
  const Policy bounded{candidates, {.bounded_load = 125}};
  Active active(5);
  for (size_t i = 0; i < 5; i++) active[i] = 100;
  for (uint64_t number = 0; number < 1000; number++) {
    const uint32_t first = pick(plain, number, test::any);
    // 501 x 1.25 / 5 = 125.25: the 126th place is there, the 127th is not.
    active[first] = 125;
    CHECK(bounded.pick(client(number), active, test::any) == first);
    active[first] = 140;
    const uint32_t other = bounded.pick(client(number), active, test::any);
    CHECK(other != first);
    // As long as that lasts it stays with the other.
    CHECK(bounded.pick(client(number), active, test::any) == other);
    active[first] = 100;
    CHECK(bounded.pick(client(number), active, test::any) == first);
  }
}

TEST_CASE("what a bound turns away spreads over all others") {
  const Candidates candidates(test::equal_weights(6));
  const RingHash policy{candidates, {.bounded_load = 125}};
  Active active(6);
  for (size_t i = 0; i < 6; i++) active[i] = 10;
  active[2] = 100;
  std::vector<uint64_t> moved(6);
  for (uint64_t number = 0; number < 60'000; number++) {
    moved.at(policy.pick(client(number), active, test::any))++;
  }
  CHECK(moved[2] == 0);
  for (const size_t i : {0, 1, 3, 4, 5}) CHECK(moved[i] > 9000);
}

TEST_CASE("with a bound and nobody else usable, a key goes to the one who is") {
  const Candidates candidates(test::equal_weights(4));
  const Maglev policy{candidates, {.bounded_load = 125}};
  Active active(4);
  active[1] = 1000;
  for (uint64_t number = 0; number < 100; number++) {
    CHECK(policy.pick(client(number), active, [](uint32_t i) { return i == 1; }) == 1);
  }
}

struct Moves {
  double needed = 0;    // share of the keys whose owner has gone
  double needless = 0;  // share that moved though its owner stayed
};

// Keys that move when one target is removed from the list (not only unusable).
template <typename Policy>
Moves moves_without(const Candidates& candidates, size_t gone, const Settings& settings) {
  std::vector<Candidate> rest = candidates.list();
  rest.erase(rest.begin() + static_cast<ptrdiff_t>(gone));
  const Policy before{candidates, settings};
  const Policy after{std::span<const Candidate>(rest), settings};
  constexpr uint64_t kKeys = 50'000;
  Moves moves;
  for (uint64_t number = 0; number < kKeys; number++) {
    const uint32_t owner = pick(before, number, test::any);
    const uint32_t next = pick(after, number, test::any);
    if (owner == gone) {
      moves.needed += 1.0 / kKeys;
    } else if (candidates.list()[owner].name != rest[next].name) {
      moves.needless += 1.0 / kKeys;
    }
  }
  return moves;
}

// The same read from the end is a target that is added.
TEST_CASE("a ring moves only the keys of a target that goes or comes, whatever its weight") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const size_t count : {2, 3, 10, 100, 2000}) {
    for (const uint32_t weight_max : {1U, 10U, 65535U}) {
      const Candidates candidates(test::random_weights(random, count, weight_max));
      // The heaviest too: what all have is known from the config, not from who is there.
      const size_t gone = random() % count;
      const Moves moves = moves_without<RingHash>(
          candidates, gone, {.configured = static_cast<uint32_t>(count), .weight_max = weight_max});
      CHECK(moves.needless == 0);
      if (count <= 10 && weight_max == 1) CHECK(moves.needed > 0.5 / static_cast<double>(count));
    }
  }
}

TEST_CASE("Maglev moves more keys than a ring when a target goes, at most about twice as many") {
  double ring = 0;
  double maglev = 0;
  for (size_t gone = 0; gone < 20; gone++) {
    const Candidates candidates(test::equal_weights(100));
    const Settings settings{.configured = 100, .weight_max = 1};
    const Moves on_ring = moves_without<RingHash>(candidates, gone, settings);
    const Moves in_table = moves_without<Maglev>(candidates, gone, settings);
    ring += on_ring.needed + on_ring.needless;
    maglev += in_table.needed + in_table.needless;
  }
  MESSAGE("100 targets, one removed: a ring moves " << ring * 5 << " % of the keys, Maglev "
                                                    << maglev * 5 << " %");
  CHECK(maglev > ring);
  CHECK(maglev < 2.2 * ring);
}

TEST_CASE("keys of addresses with ports and without are told apart") {
  const Key address = client(1);
  CHECK(address.with_port(1).hash(0) != address.hash(0));
  CHECK(address.with_port(1).hash(0) != address.with_port(2).hash(0));
  CHECK(address.with_port(0).hash(0) != address.hash(0));
  CHECK(address.with_port(443).hash(7) == client(1).with_port(443).hash(7));
}

}  // namespace
}  // namespace sluice::policy
