// PickRecord: how one pick of a pool came about, for who asks what a client would get. Written by
// the same code that picks for the data plane (pool.cpp), never by a second one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "policy/candidate.h"

namespace sluice::table {

// Why a candidate could not be picked, or that it could.
#define SLUICE_STANDINGS(X)                                                           \
  X(usable, 0)                                                                        \
  X(tried, 1)     /* it failed for this connection, or another took its last place */ \
  X(full, 2)      /* at its max_connections */                                        \
  X(not_asked, 3) /* an earlier tier had somebody */

enum class Standing : uint8_t {
#define X(name, value) name = value,
  SLUICE_STANDINGS(X)
#undef X
};

struct CandidateNote {
  uint32_t slot = 0;
  uint32_t tier = 0;
  uint32_t weight = 0;
  uint32_t max_connections = 0;
  uint32_t active = 0;  // connections and sessions
  uint32_t load = 0;    // what the policy counts of them
  Standing standing = Standing::not_asked;
  // By which the policy judged it; smaller is better. None: the policy does not look at numbers, or
  // not at this candidate.
  std::optional<double> score;
};

struct PickRecord {
  uint32_t slot = policy::kNoPick;
  uint32_t first_tier = 0;                // with which the pick began, by share
  uint32_t tier = policy::kNoPick;        // that had the picked one
  std::vector<CandidateNote> candidates;  // of all tiers, in their order
};

}  // namespace sluice::table
