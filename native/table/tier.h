// Tier: candidates of one rank in their pool, with the policy built over them.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "policy/candidate.h"
#include "policy/least_connections.h"
#include "policy/power_of_two.h"
#include "policy/random.h"
#include "policy/round_robin.h"
#include "policy/source_hash.h"
#include "policy/weighted_round_robin.h"
#include "table/table_image.h"

namespace sluice::table {

// Does this policy decide by who the client is? Then a client must keep its tier, too.
[[nodiscard]] bool is_keyed(PolicyKind kind);

// What a tier is in its pool.
struct TierRank {
  uint32_t configured = 0;  // targets of this tier by the config, eligible or not; 0 = not known
  uint32_t share = 0;       // of the new connections that begin here, in basis points
};

class Tier {
 public:
  Tier() = default;  // no candidates: picks nothing
  Tier(PolicyKind kind, std::vector<policy::Candidate> candidates, TierRank rank = {});

  [[nodiscard]] std::span<const policy::Candidate> candidates() const { return candidates_; }
  [[nodiscard]] uint32_t share() const { return share_; }
  // Has any candidate a max_connections? If not, only tried targets must be skipped.
  [[nodiscard]] bool limited() const { return limited_; }

  // An index into candidates(), or policy::kNoPick. `key` matters to source_hash only. One switch
  // and no virtual call.
  template <policy::UsableCheck Usable>
  [[nodiscard]] uint32_t pick(const policy::AddressKey& key, policy::Cursor& cursor,
                              policy::ActiveCounts active, const Usable& usable) const;

 private:
  using Policy =
      std::variant<policy::RoundRobin, policy::WeightedRoundRobin, policy::LeastConnections,
                   policy::Random, policy::PowerOfTwo, policy::SourceHash>;

  [[nodiscard]] static Policy build(PolicyKind kind, std::span<const policy::Candidate> candidates,
                                    uint32_t configured);

  std::vector<policy::Candidate> candidates_;
  uint32_t share_ = 0;
  bool limited_ = false;
  Policy policy_{std::in_place_type<policy::RoundRobin>, std::span<const policy::Candidate>{}};
};

template <policy::UsableCheck Usable>
uint32_t Tier::pick(const policy::AddressKey& key, policy::Cursor& cursor,
                    policy::ActiveCounts active, const Usable& usable) const {
  struct Pick {
    const policy::AddressKey& key;
    policy::Cursor& cursor;
    policy::ActiveCounts active;
    const Usable& usable;

    uint32_t operator()(const policy::RoundRobin& p) const { return p.pick(cursor, usable); }
    uint32_t operator()(const policy::WeightedRoundRobin& p) const {
      return p.pick(cursor, usable);
    }
    uint32_t operator()(const policy::LeastConnections& p) const {
      return p.pick(cursor, active, usable);
    }
    uint32_t operator()(const policy::Random& p) const { return p.pick(cursor, usable); }
    uint32_t operator()(const policy::PowerOfTwo& p) const {
      return p.pick(cursor, active, usable);
    }
    uint32_t operator()(const policy::SourceHash& p) const { return p.pick(key, usable); }
  };
  return std::visit(Pick{key, cursor, active, usable}, policy_);
}

}  // namespace sluice::table
