// Tier: the candidates of one priority (primaries or backups) with the policy built over them.
#pragma once

#include <cstdint>
#include <vector>

#include "policy/candidate.h"

namespace sluice::table {

class Tier {
 public:
  std::vector<policy::Candidate> candidates;
};

}  // namespace sluice::table
