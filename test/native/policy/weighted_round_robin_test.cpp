// Weighted round robin: nginx's own order, exact shares, no bursts, no long walks.
#include "policy/weighted_round_robin.h"

#include <doctest/doctest.h>

#include <string>

#include "support/policy_fixture.h"
#include "support/seed.h"

namespace sluice::policy {
namespace {

using test::Candidates;

// ngx_stream_upstream_get_peer() without failures, literally.
std::vector<uint32_t> nginx_order(std::span<const uint32_t> weights, size_t picks) {
  std::vector<int64_t> current(weights.size());
  std::vector<uint32_t> order;
  for (size_t pick = 0; pick < picks; pick++) {
    int64_t total = 0;
    size_t best = weights.size();
    for (size_t i = 0; i < weights.size(); i++) {
      current[i] += weights[i];
      total += weights[i];
      if (best == weights.size() || current[i] > current[best]) best = i;
    }
    current[best] -= total;
    order.push_back(static_cast<uint32_t>(best));
  }
  return order;
}

std::vector<uint32_t> order_of(const WeightedRoundRobin& policy, size_t picks) {
  Cursor cursor = seeded_cursor(1);
  cursor.position = 0;
  std::vector<uint32_t> order;
  for (size_t i = 0; i < picks; i++) order.push_back(policy.pick(cursor, test::any));
  return order;
}

TEST_CASE("weighted_round_robin picks 5:1:1 in nginx's order a a b a c a a") {
  const Candidates candidates(std::vector<uint32_t>{5, 1, 1});
  const WeightedRoundRobin policy(candidates);
  CHECK(policy.sequence_length() == 7);
  CHECK(order_of(policy, 7) == std::vector<uint32_t>{0, 0, 1, 0, 2, 0, 0});
}

TEST_CASE("weighted_round_robin equals the game of nginx for any small weights") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; round++) {
    const size_t count = 1 + random() % 30;
    const auto weights = test::random_weights(random, count, 1 + random() % 40);
    const Candidates candidates(weights);
    const WeightedRoundRobin policy(candidates);
    const auto picks = static_cast<size_t>(test::sum_of(weights)) * 2;
    REQUIRE(order_of(policy, picks) == nginx_order(weights, picks));
  }
}

TEST_CASE("weighted_round_robin divides the weights by what they have in common") {
  const Candidates candidates(std::vector<uint32_t>{30000, 10000, 20000});
  const WeightedRoundRobin policy(candidates);
  CHECK(policy.sequence_length() == 6);
}

TEST_CASE("weighted_round_robin gives one round of picks exactly by weight") {
  const std::vector<uint32_t> weights{65535, 1};
  const Candidates candidates(weights);
  const WeightedRoundRobin policy(candidates);
  CHECK(policy.sequence_length() == 65536);
  Cursor cursor = seeded_cursor(test::fresh_seed());
  const auto counts = test::counts_of(2, 65536, [&] { return policy.pick(cursor, test::any); });
  CHECK(counts == std::vector<uint64_t>{65535, 1});
}

// Weights that no short round holds exactly: the turns that are drawn make a count vary, but less
// than a fair draw of all turns would, and a share large enough to be measured is within 1 %.
void check_long_shares(std::span<const uint32_t> weights, uint64_t picks, uint64_t seed) {
  CAPTURE(seed);
  CAPTURE(weights.size());
  const Candidates candidates(weights);
  const WeightedRoundRobin policy(candidates);
  CHECK(policy.sequence_length() <= WeightedRoundRobin::kSequenceMax);
  Cursor cursor = seeded_cursor(seed);
  const auto counts =
      test::counts_of(weights.size(), picks, [&] { return policy.pick(cursor, test::any); });
  CHECK(test::deviations(counts, weights) < 6);
  const double total = test::sum_of(weights);
  for (size_t i = 0; i < weights.size(); i++) {
    const double expected = static_cast<double>(picks) * weights[i] / total;
    const double bound = std::max(0.01 * expected, 6 * std::sqrt(expected) + 2);
    CHECK(std::abs(static_cast<double>(counts[i]) - expected) <= bound);
  }
}

TEST_CASE("weighted_round_robin keeps shares within 1 % whatever the weights are") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  check_long_shares(test::random_weights(random, 10, 65535), 4'000'000, seed);
  check_long_shares(test::random_weights(random, 300, 65535), 4'000'000, seed);
  check_long_shares(test::random_weights(random, 5000, 65535), 8'000'000, seed);
  std::vector<uint32_t> skewed = test::equal_weights(5000, 65535);
  skewed[1234] = 1;
  check_long_shares(skewed, 4'000'000, seed);
  skewed = test::equal_weights(5000, 1);
  skewed[1234] = 65535;
  check_long_shares(skewed, 4'000'000, seed);
}

// A smooth order: in any stretch of picks, each candidate has its share of it, give or take little.
TEST_CASE("weighted_round_robin has no bursts") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 50; round++) {
    const size_t count = 2 + random() % 20;
    const auto weights = test::random_weights(random, count, round % 2 == 0 ? 100 : 65535);
    const Candidates candidates(weights);
    const WeightedRoundRobin policy(candidates);
    const double total = test::sum_of(weights);
    const auto order = order_of(policy, policy.sequence_length());
    std::vector<double> lag(count);
    std::vector<size_t> last(count);
    for (size_t t = 0; t < order.size(); t++) {
      for (size_t i = 0; i < count; i++) lag[i] += weights[i] / total;
      const uint32_t picked = order[t];
      lag[picked] -= 1;
      // Two turns' worth of waiting at most, and room for one turn that was drawn elsewhere.
      CHECK(static_cast<double>(t + 1 - last[picked]) <= 3 * total / weights[picked] + 2);
      last[picked] = t + 1;
    }
    for (size_t i = 0; i < count; i++) CHECK(std::abs(lag[i]) < 4);
  }
}

TEST_CASE("weighted_round_robin keeps the proportions of those that remain usable") {
  const std::vector<uint32_t> weights{40, 30, 20, 10};
  const Candidates candidates(weights);
  const WeightedRoundRobin policy(candidates);
  Cursor cursor = seeded_cursor(3);
  const auto counts = test::counts_of(
      4, 70'000, [&] { return policy.pick(cursor, [](uint32_t index) { return index != 1; }); });
  CHECK(counts == std::vector<uint64_t>{40'000, 0, 20'000, 10'000});
}

TEST_CASE("weighted_round_robin asks a bounded number of times when nearly none is usable") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  const std::vector<uint32_t> weights{65535, 1, 1};
  const Candidates candidates(weights);
  const WeightedRoundRobin policy(candidates);
  Cursor cursor = seeded_cursor(seed);
  std::vector<uint64_t> counts(3);
  for (int i = 0; i < 10'000; i++) {
    uint32_t asked = 0;
    counts.at(policy.pick(cursor, [&](uint32_t index) {
      asked++;
      return index != 0;
    }))++;
    REQUIRE(asked <= 64 + 3);
  }
  CHECK(counts[0] == 0);
  CHECK(test::deviations(std::span(counts).subspan(1), std::vector<uint32_t>{1, 1}) < 6);
}

}  // namespace
}  // namespace sluice::policy
