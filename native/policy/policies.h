// What the data plane does with every policy of the list (policies.txt). What a policy needs for a
// pick it says by the signature of its pick (see pick_with), and everything else follows from that.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "policy/candidate.h"
#include "policy/policy_list.h"

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

// The list tells the configuration which keys can be set; what is not so is told here.
#define X(Class, keyed) static_assert(Keyed<Class> == keyed, "the column `key` of policies.txt");
SLUICE_POLICIES_BY_KEY(X)
#undef X

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
