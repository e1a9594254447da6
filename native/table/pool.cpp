// Picks a target: a tier by share, then the tiers in order, never one that was tried or is full.
#include "table/pool.h"

#include <algorithm>
#include <utility>

#include "policy/prng.h"

namespace sluice::table {

namespace {

// Not a seed of SourceHash: which tier a client begins with must not say which target it gets.
constexpr uint64_t kTierSeed = 0x74696572;  // "tier"

uint32_t pick_from(const Tier& tier, const policy::AddressKey& key, policy::Cursor& cursor,
                   const policy::Signals& signals, const TriedTargets& tried) {
  const std::span<const policy::Candidate> candidates = tier.candidates();
  uint32_t index = policy::kNoPick;
  if (tried.count == 0 && !tier.limited()) {
    // The usual first pick: every candidate will do, and the compiler knows it.
    index = tier.pick(key, cursor, signals.load, [](uint32_t) { return true; });
  } else {
    index = tier.pick(key, cursor, signals.load, [&](uint32_t i) {
      const policy::Candidate& candidate = candidates[i];
      if (tried.contains(candidate.slot)) return false;
      // Relaxed, and so only a forecast: the limit itself is kept by who counts the connection up
      // (it sees the count before its own add, and picks again when that was the limit).
      return candidate.max_connections == 0 ||
             signals.active[candidate.slot].load(std::memory_order_relaxed) <
                 candidate.max_connections;
    });
  }
  return index == policy::kNoPick ? policy::kNoPick : candidates[index].slot;
}

// With the tier's own turns in the cursor's place.
uint32_t pick_in_turn(std::span<const Tier> tiers, uint32_t index, const policy::AddressKey& key,
                      policy::Cursor& cursor, const policy::Signals& signals,
                      const TriedTargets& tried) {
  if (index == 0) return pick_from(tiers[0], key, cursor, signals, tried);
  std::swap(cursor.position, cursor.further_positions[index - 1]);
  const uint32_t slot = pick_from(tiers[index], key, cursor, signals, tried);
  std::swap(cursor.position, cursor.further_positions[index - 1]);
  return slot;
}

}  // namespace

void Pool::set_tiers(PolicyKind kind, std::vector<Tier> tiers) {
  tiers_ = std::move(tiers);
  keyed_ = is_keyed(kind);
  shared_ = tiers_.size() > 1 && std::any_of(tiers_.begin() + 1, tiers_.end(),
                                             [](const Tier& tier) { return tier.share() != 0; });
}

uint32_t Pool::first_tier(const policy::AddressKey& key, policy::Cursor& cursor) const {
  if (!shared_) return 0;
  const uint32_t random =
      keyed_ ? static_cast<uint32_t>(key.hash(kTierSeed) >> 32U) : policy::next_random(cursor);
  // From the last tier down: a tier that loses share gives it to those behind it, and none of the
  // clients of those before it moves.
  const uint32_t place = policy::scaled(random, kWholeShare);
  uint32_t begin = kWholeShare;
  for (auto index = static_cast<uint32_t>(tiers_.size() - 1); index > 0; index--) {
    begin -= tiers_[index].share();
    if (place >= begin) return index;
  }
  return 0;
}

bool Pool::has_untried(const TriedTargets& tried) const {
  const auto untried = [&tried](const policy::Candidate& candidate) {
    return !tried.contains(candidate.slot);
  };
  return std::ranges::any_of(
      tiers_, [&](const Tier& tier) { return std::ranges::any_of(tier.candidates(), untried); });
}

uint32_t Pool::pick(const os::ClientAddress& client, policy::Cursor& cursor,
                    const policy::Signals& signals, const TriedTargets& tried) const {
  // An IPv4 prefix counts behind the 96 bits of the v4-mapped form. A client on a unix socket has
  // no address: to source_hash they are all one.
  const uint32_t prefix_bits = client.family == AF_INET ? 96 + hash_prefix_v4 : hash_prefix_v6;
  const policy::AddressKey key = policy::AddressKey::from(client.ip, prefix_bits);
  if (tiers_.empty()) return policy::kNoPick;
  const policy::Signals seen = load_turns ? signals.counting_turns() : signals;
  const uint32_t first = first_tier(key, cursor);
  uint32_t picked = pick_in_turn(tiers_, first, key, cursor, seen, tried);
  for (uint32_t i = 0; picked == policy::kNoPick && i < tiers_.size(); i++) {
    if (i != first) picked = pick_in_turn(tiers_, i, key, cursor, seen, tried);
  }
  return picked;
}

}  // namespace sluice::table
