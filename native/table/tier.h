// Tier: candidates of one rank in their pool, with the policy built over them.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "policy/policies.h"
#include "table/table_image.h"

namespace sluice::table {

// Does this policy decide by the key alone? Then a client must keep its tier, too.
[[nodiscard]] bool is_keyed(PolicyKind kind);
// Does it look at response times or bandwidths? Somebody has to keep them current, then.
[[nodiscard]] bool reads_signals(PolicyKind kind);

// What a tier is in its pool.
struct TierRank {
  policy::Settings settings = {};
  uint32_t share = 0;  // of the new connections that begin here, in basis points
};

class Tier {
 public:
  Tier() = default;  // no candidates: picks nothing
  Tier(PolicyKind kind, std::vector<policy::Candidate> candidates, const TierRank& rank = {});

  [[nodiscard]] std::span<const policy::Candidate> candidates() const { return candidates_; }
  [[nodiscard]] uint32_t share() const { return share_; }
  // Has any candidate a max_connections? If not, only tried targets must be skipped.
  [[nodiscard]] bool limited() const { return limited_; }

  // An index into candidates(), or policy::kNoPick. One switch and no virtual call.
  template <policy::UsableCheck Usable>
  [[nodiscard]] uint32_t pick(const policy::Question& question, const Usable& usable) const;

 private:
#define X(name, number, Class) , policy::Class
  using Policy = std::variant<std::monostate SLUICE_POLICIES(X)>;
#undef X

  [[nodiscard]] static Policy build(PolicyKind kind, std::span<const policy::Candidate> candidates,
                                    const policy::Settings& settings);

  PolicyKind kind_ = PolicyKind::round_robin;
  uint32_t share_ = 0;
  bool limited_ = false;
  std::vector<policy::Candidate> candidates_;
  Policy policy_;
};

template <policy::UsableCheck Usable>
uint32_t Tier::pick(const policy::Question& question, const Usable& usable) const {
  // std::visit becomes a call through a table from the twelfth alternative on.
  switch (kind_) {
#define X(name, number, Class)                                                               \
  case PolicyKind::name: {                                                                   \
    const auto* const built = std::get_if<policy::Class>(&policy_);                          \
    return built == nullptr ? policy::kNoPick : policy::pick_with(*built, question, usable); \
  }
    SLUICE_POLICIES(X)
#undef X
  }
  return policy::kNoPick;  // not a PolicyKind: the builder has refused it
}

}  // namespace sluice::table
