// Pool: a named set of targets with a built policy, as the workers see it. pick() is the only
// question that the data plane asks of balancing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "os/address.h"
#include "policy/candidate.h"
#include "shared/retry_budgets.h"
#include "table/pick_record.h"
#include "table/stickiness.h"
#include "table/table_image.h"
#include "table/tier.h"

namespace sluice::table {

// How a TCP socket of one side is set up. 0 = leave the kernel's default.
struct SocketOptions {
  bool nodelay = true;
  uint32_t user_timeout_ms = 0;
  uint32_t keepalive_idle_s = 0;
  uint32_t keepalive_interval_s = 0;
  uint32_t keepalive_count = 0;
};

// The pause before a retry: at random up to a bound that doubles. max_ms 0: there is none.
inline constexpr uint32_t kBackoffMsMax = 60'000;
struct Backoff {
  uint32_t base_ms = 0;
  uint32_t max_ms = 0;
};

// Targets that one connection must not be given again, by slot: it failed there, or lost the race
// for the target's last free place. Bounded by PoolRecord.retries <= kRetriesMax.
inline constexpr uint32_t kRetriesMax = 15;
struct TriedTargets {
  uint32_t slots[kRetriesMax + 1] = {};
  uint32_t count = 0;

  void push(uint32_t slot) {
    if (count < kRetriesMax + 1) slots[count++] = slot;
  }
  [[nodiscard]] bool contains(uint32_t slot) const {
    for (uint32_t i = 0; i < count; i++) {
      if (slots[i] == slot) return true;
    }
    return false;
  }
};

// The two ends of a connection or session that has arrived: what keys are made of. `destination`
// is the address that the client used; who has none at hand needs it only for a pool that
// asks_for_destination().
struct Arrival {
  const os::ClientAddress& client;
  const os::ClientAddress& destination;
};

class Pool {
 public:
  uint32_t slot = 0;
  uint32_t retries = 0;
  bool retry_same = false;  // the first of them goes to the target that has just failed
  Backoff backoff;
  shared::RetryRules retry_rules;
  // Connections over all workers that may wait for a place at a target, and for any eligible
  // target. 0: none waits.
  uint32_t queue_max = 0;
  uint32_t queue_timeout_ms = 0;
  uint32_t park_max = 0;
  uint32_t park_timeout_ms = 0;
  uint32_t hash_prefix_v4 = 32;
  uint32_t hash_prefix_v6 = 128;
  bool load_turns = false;  // its policy counts turns, not connections
  PolicyKey key = PolicyKey::source;
  SocketOptions target_options;
  std::vector<os::Address> sources;  // empty: the kernel chooses the source address
  Stickiness stickiness;             // of capacity 0: none

  // In the order in which they are asked, at most kTiersMax, of shares that are at most kWholeShare
  // together. `kind` is the policy of all of them.
  void set_tiers(PolicyKind kind, std::vector<Tier> tiers);
  [[nodiscard]] std::span<const Tier> tiers() const { return tiers_; }

  // Does its policy look at response times or bandwidths?
  [[nodiscard]] bool reads_signals() const { return reads_signals_; }
  [[nodiscard]] bool asks_for_destination() const { return key == PolicyKey::destination; }
  [[nodiscard]] policy::Key key_of(const Arrival& arrival) const;

  [[nodiscard]] bool has_candidates() const {
    return std::ranges::any_of(tiers_, [](const Tier& t) { return !t.candidates().empty(); });
  }
  [[nodiscard]] bool has_candidate(uint32_t target_slot) const;
  // Is there a candidate that has not been tried, whether it has room or not?
  [[nodiscard]] bool has_untried(const TriedTargets& tried) const;
  // The slot of the target that a new connection or session goes to, or
  // policy::kNoPick. Skips tried targets and those at their max_connections. Begins with a tier by
  // share: at random, or by the key where the policy is keyed, so that a client keeps its tier.
  // Where that tier can pick nothing, all are asked in their order. `cursor` is the calling
  // worker's own for this pool.
  [[nodiscard]] uint32_t pick(const Arrival& arrival, policy::Cursor& cursor,
                              const policy::Signals& signals, const TriedTargets& tried) const;
  // What pick() would answer now, and how it would come to that. Changes nothing: the pick is made
  // with a copy of the cursor.
  [[nodiscard]] PickRecord explain(const Arrival& arrival, policy::Cursor cursor,
                                   const policy::Signals& signals, const TriedTargets& tried) const;

 private:
  // `make_witness` makes what hears how the pick is made (pool.cpp).
  template <typename MakeWitness>
  [[nodiscard]] uint32_t pick_before(const MakeWitness& make_witness, const Arrival& arrival,
                                     policy::Cursor& cursor, const policy::Signals& signals,
                                     const TriedTargets& tried) const;
  [[nodiscard]] uint32_t first_tier(const policy::Question& question) const;

  std::vector<Tier> tiers_;
  bool keyed_ = false;
  bool reads_signals_ = false;
  bool shared_ = false;  // has a tier behind the first a share?
};

}  // namespace sluice::table
