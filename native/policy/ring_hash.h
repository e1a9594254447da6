// ring_hash: consistent choice over a ring of points (Karger et al. 1997; many points for each
// target, as Ketama). When the set of targets changes, no key moves that need not; shares are a few
// percent off.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "policy/candidate.h"
#include "policy/consistent.h"

namespace sluice::policy {

class HashRing {
 public:
  // A target of the largest weight has this many points, one of a smaller weight its part of them,
  // at least one: a standard deviation of 3 % of a share. Fewer in a pool of more than a thousand
  // targets, so that there are never more than kPointsMax.
  static constexpr uint32_t kPointsPerTarget = 1024;
  static constexpr uint32_t kPointsMax = 1U << 20U;

  // The number of points follows from settings.configured and settings.weight_max: a target that is
  // unhealthy must not change the points of the others.
  explicit HashRing(std::span<const Candidate> candidates, const Settings& settings = {});

  [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(points_.size()); }
  [[nodiscard]] bool empty() const { return points_.empty(); }

  // The index of the candidate that owns the first point at or behind `hash`. Not for an empty
  // ring. `starts_` holds a place about every two points, so this walks a step or two.
  [[nodiscard]] uint32_t lookup(uint64_t hash) const {
    size_t at = starts_[static_cast<size_t>(hash >> shift_)];
    while (at < points_.size() && points_[at] < hash) at++;
    return owners_[at == points_.size() ? 0 : at];
  }

 private:
  std::vector<uint64_t> points_;  // ascending
  std::vector<uint16_t> owners_;  // of the point at the same place
  std::vector<uint32_t> starts_;  // by leading bits of a hash: the first point not before them
  uint32_t shift_ = 63;
};

class RingHash : public Consistent<HashRing> {
 public:
  using Consistent::Consistent;
};

}  // namespace sluice::policy
