// What the policies' property tests share: candidates, active counts, counts of picks.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "policy/candidate.h"
#include "policy/prng.h"

namespace sluice::test {

// Candidates named "target-0", "target-1", ... at slots 0, 1, ... with these weights.
class Candidates {
 public:
  explicit Candidates(std::span<const uint32_t> weights) {
    names_.reserve(weights.size());
    for (uint32_t i = 0; i < weights.size(); i++) {
      names_.push_back("target-" + std::to_string(i));
      list_.push_back({.slot = i, .weight = weights[i], .max_connections = 0, .name = names_[i]});
    }
  }
  Candidates(const Candidates&) = delete;
  Candidates& operator=(const Candidates&) = delete;

  operator std::span<const policy::Candidate>() const { return list_; }
  [[nodiscard]] const std::vector<policy::Candidate>& list() const { return list_; }

 private:
  std::vector<std::string> names_;
  std::vector<policy::Candidate> list_;
};

// What policies see of targets at the slots 0, 1, ...; `load` is the same as `active`.
class Active {
 public:
  explicit Active(size_t count)
      : count_(count),
        counts_(std::make_unique<std::atomic<uint32_t>[]>(count)),
        turns_(std::make_unique<std::atomic<uint32_t>[]>(count)),
        response_us_(std::make_unique<std::atomic<uint32_t>[]>(count)),
        bandwidth_(std::make_unique<policy::Bandwidth[]>(count)) {}
  std::atomic<uint32_t>& operator[](size_t slot) { return counts_[slot]; }
  std::atomic<uint32_t>& turns(size_t slot) { return turns_[slot]; }
  std::atomic<uint32_t>& response_us(size_t slot) { return response_us_[slot]; }
  policy::Bandwidth& bandwidth(size_t slot) { return bandwidth_[slot]; }
  operator policy::ActiveCounts() const { return {counts_.get(), count_}; }
  operator policy::Signals() const {
    return {.active = *this,
            .load = *this,
            .turns = {turns_.get(), count_},
            .response_us = {response_us_.get(), count_},
            .bandwidth = {bandwidth_.get(), count_}};
  }

 private:
  size_t count_;
  std::unique_ptr<std::atomic<uint32_t>[]> counts_;
  std::unique_ptr<std::atomic<uint32_t>[]> turns_;
  std::unique_ptr<std::atomic<uint32_t>[]> response_us_;
  std::unique_ptr<policy::Bandwidth[]> bandwidth_;
};

inline bool any(uint32_t /*index*/) {
  return true;
}

// Accepts everybody, and keeps the scores that the policy tells; -1: none.
struct ScoreKeeper {
  explicit ScoreKeeper(size_t count) : scores(count, -1) {}
  bool operator()(uint32_t /*index*/) const { return true; }
  void note_score(uint32_t index, double score) const { scores.at(index) = score; }
  mutable std::vector<double> scores;
};

inline std::vector<uint32_t> equal_weights(size_t count, uint32_t weight = 1) {
  return std::vector<uint32_t>(count, weight);
}

inline std::vector<uint32_t> random_weights(std::mt19937_64& random, size_t count, uint64_t max) {
  std::uniform_int_distribution<uint32_t> weight(1, static_cast<uint32_t>(max));
  std::vector<uint32_t> weights(count);
  for (uint32_t& w : weights) w = weight(random);
  return weights;
}

inline double sum_of(std::span<const uint32_t> weights) {
  return std::accumulate(weights.begin(), weights.end(), 0.0);
}

// How often each of `count` candidates is what `pick()` returns.
template <typename Pick>
std::vector<uint64_t> counts_of(size_t count, uint64_t picks, Pick&& pick) {
  std::vector<uint64_t> counts(count);
  for (uint64_t i = 0; i < picks; i++) counts.at(pick())++;
  return counts;
}

// The largest distance of a count from its expectation in standard deviations of a fair draw by
// weight. A fair draw over a few thousand candidates stays below 6 in all but one run of a million.
inline double deviations(std::span<const uint64_t> counts, std::span<const uint32_t> weights) {
  const double picks = static_cast<double>(std::accumulate(counts.begin(), counts.end(), 0ULL));
  const double total = sum_of(weights);
  double largest = 0;
  for (size_t i = 0; i < counts.size(); i++) {
    const double share = weights[i] / total;
    const double deviation = std::sqrt(picks * share * (1 - share));
    // Below some 20 expected picks the tail is not a normal one's.
    if (picks * share < 20 || picks * (1 - share) < 20) continue;
    largest =
        std::max(largest, std::abs(static_cast<double>(counts[i]) - picks * share) / deviation);
  }
  return largest;
}

}  // namespace sluice::test
