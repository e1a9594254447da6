// Draws the points of the ring, sorts them, and notes where to begin to look.
#include "policy/ring_hash.h"

#include <algorithm>
#include <bit>

#include "policy/stable_hash.h"

namespace sluice::policy {

namespace {

constexpr uint64_t kPointSeed = 0x72696e67;  // "ring"

struct Point {
  uint64_t place = 0;
  uint32_t rank =
      0;  // of the owner, by name: two owners at one place are the same on all instances
  uint16_t owner = 0;

  friend bool operator<(const Point& a, const Point& b) {
    return a.place != b.place ? a.place < b.place : a.rank < b.rank;
  }
};

std::vector<uint32_t> ranks_of(std::span<const Candidate> candidates) {
  std::vector<uint32_t> order(candidates.size());
  for (uint32_t i = 0; i < order.size(); i++) order[i] = i;
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return candidates[a].name != candidates[b].name ? candidates[a].name < candidates[b].name
                                                    : a < b;
  });
  std::vector<uint32_t> ranks(order.size());
  for (uint32_t rank = 0; rank < order.size(); rank++) ranks[order[rank]] = rank;
  return ranks;
}

}  // namespace

HashRing::HashRing(std::span<const Candidate> candidates, const Settings& settings) {
  if (candidates.empty()) return;
  const auto count = static_cast<uint32_t>(candidates.size());
  uint64_t weight_max = std::max(settings.weight_max, 1U);
  for (const Candidate& candidate : candidates) {
    weight_max = std::max<uint64_t>(weight_max, candidate.weight);
  }
  // A power of two, so that a pool that grows by a few seldom changes it.
  const uint64_t most =
      std::min(kPointsPerTarget, std::bit_floor(kPointsMax / std::max(count, settings.configured)));

  const std::vector<uint32_t> ranks = ranks_of(candidates);
  std::vector<Point> points;
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t identity = seeded_hash(name_hash(candidates[i].name), kPointSeed);
    const uint64_t own = std::max<uint64_t>(1, most * candidates[i].weight / weight_max);
    // A target's first points are the same however many it has, so a changed weight moves little.
    for (uint64_t number = 0; number < own; number++) {
      points.push_back({.place = seeded_hash(identity, number),
                        .rank = ranks[i],
                        .owner = static_cast<uint16_t>(i)});
    }
  }
  std::sort(points.begin(), points.end());

  points_.reserve(points.size());
  owners_.reserve(points.size());
  for (const Point& point : points) {
    points_.push_back(point.place);
    owners_.push_back(point.owner);
  }
  const auto bits = std::max(1U, static_cast<uint32_t>(std::bit_width(points.size())) - 1);
  shift_ = 64 - bits;
  starts_.reserve(size_t{1} << bits);
  size_t at = 0;
  for (uint64_t start = 0; start < uint64_t{1} << bits; start++) {
    while (at < points_.size() && points_[at] < start << shift_) at++;
    starts_.push_back(static_cast<uint32_t>(at));
  }
}

}  // namespace sluice::policy
