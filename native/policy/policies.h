// The list of policies. A new one is a pair of files in this folder and its two lines here, its
// include and its place in the list; what it needs for a pick it says by the signature of its pick
// (see pick_with), and everything else follows from that.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "policy/candidate.h"
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
#include "policy/stable_hash.h"
#include "policy/weighted_round_robin.h"

// X(name in the config, number in the table image, class). Numbers are never reused.
#define SLUICE_POLICIES(X)                       \
  X(round_robin, 1, RoundRobin)                  \
  X(weighted_round_robin, 2, WeightedRoundRobin) \
  X(least_connections, 3, LeastConnections)      \
  X(random, 4, Random)                           \
  X(power_of_two, 5, PowerOfTwo)                 \
  X(source_hash, 6, SourceHash)                  \
  X(ring_hash, 7, RingHash)                      \
  X(maglev, 8, Maglev)                           \
  X(first, 9, First)                             \
  X(least_response_time, 10, LeastResponseTime)  \
  X(least_bandwidth, 11, LeastBandwidth)         \
  X(hot_cold, 12, HotCold)

namespace sluice::policy {

// What a policy may ask for besides the usable check.
struct Question {
  const Key& key;
  Cursor& cursor;
  const Signals& signals;
};

// Does the policy decide by the key? Then a client's tier must not change from pick to pick, too.
template <typename Policy>
concept Keyed = requires(const Policy& policy, const Question& q, bool (*usable)(uint32_t)) {
  policy.pick(q.key, q.signals.load, usable);
};

// Does it look at more than the loads?
template <typename Policy>
concept ReadsSignals = requires(const Policy& policy, const Question& q, bool (*usable)(uint32_t)) {
  policy.pick(q.cursor, q.signals, usable);
};

template <typename Policy>
[[nodiscard]] Policy make_policy(std::span<const Candidate> candidates, const Settings& settings) {
  if constexpr (std::is_constructible_v<Policy, std::span<const Candidate>, const Settings&>) {
    return Policy(candidates, settings);
  } else {
    return Policy(candidates);
  }
}

// Hands a policy what its pick takes; anything else is not a policy and does not compile.
template <typename Policy, UsableCheck Usable>
[[nodiscard]] uint32_t pick_with(const Policy& policy, const Question& q, const Usable& usable) {
  if constexpr (Keyed<Policy>) {
    return policy.pick(q.key, q.signals.load, usable);
  } else if constexpr (requires { policy.pick(usable); }) {
    return policy.pick(usable);
  } else if constexpr (requires { policy.pick(q.cursor, usable); }) {
    return policy.pick(q.cursor, usable);
  } else if constexpr (ReadsSignals<Policy>) {
    return policy.pick(q.cursor, q.signals, usable);
  } else {
    return policy.pick(q.cursor, q.signals.load, usable);
  }
}

}  // namespace sluice::policy
