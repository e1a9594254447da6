// Every policy, made from policies.txt by scripts/generate-policies.mjs: change that.
#pragma once

#include "policy/first.h"
#include "policy/hot_cold.h"
#include "policy/least_bandwidth.h"
#include "policy/least_connections.h"
#include "policy/least_response_time.h"
#include "policy/maglev.h"
#include "policy/power_of_two.h"
#include "policy/random.h"
#include "policy/ring_hash.h"
#include "policy/round_robin.h"
#include "policy/source_hash.h"
#include "policy/weighted_round_robin.h"

// X(name in the config, number in the table image, class)
#define SLUICE_POLICIES(X)                       \
  X(round_robin, 1, RoundRobin)                  \
  X(weighted_round_robin, 2, WeightedRoundRobin) \
  X(least_connections, 3, LeastConnections)      \
  X(least_response_time, 10, LeastResponseTime)  \
  X(least_bandwidth, 11, LeastBandwidth)         \
  X(random, 4, Random)                           \
  X(power_of_two, 5, PowerOfTwo)                 \
  X(hot_cold, 12, HotCold)                       \
  X(first, 9, First)                             \
  X(source_hash, 6, SourceHash)                  \
  X(ring_hash, 7, RingHash)                      \
  X(maglev, 8, Maglev)

// X(class, does it decide by a key?)
#define SLUICE_POLICIES_BY_KEY(X) \
  X(RoundRobin, false)            \
  X(WeightedRoundRobin, false)    \
  X(LeastConnections, false)      \
  X(LeastResponseTime, false)     \
  X(LeastBandwidth, false)        \
  X(Random, false)                \
  X(PowerOfTwo, false)            \
  X(HotCold, false)               \
  X(First, false)                 \
  X(SourceHash, true)             \
  X(RingHash, true)               \
  X(Maglev, true)
