// Picks a target: a tier by share, then the tiers in order, never one that was tried or is full.
#include "table/pool.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "policy/prng.h"

namespace sluice::table {

namespace {

// Not a seed of a policy: which tier a client begins with must not say which target it gets.
constexpr uint64_t kTierSeed = 0x74696572;  // "tier"

// What a pick asks about, the same for all tiers.
struct Asked {
  const policy::Key& key;
  const policy::Signals& signals;  // with the pool's own load
  const TriedTargets& tried;
};

Standing standing_of(const policy::Candidate& candidate, const Asked& asked) {
  if (asked.tried.contains(candidate.slot)) return Standing::tried;
  // Relaxed, and so only a forecast: the limit itself is kept by who counts the connection up
  // (it sees the count before its own add, and picks again when that was the limit).
  const bool has_room = candidate.max_connections == 0 ||
                        asked.signals.active[candidate.slot].load(std::memory_order_relaxed) <
                            candidate.max_connections;
  return has_room ? Standing::usable : Standing::full;
}

// The data plane's witness: nobody wants to know, and nothing is compiled in.
struct Nobody {
  static constexpr bool kListens = false;
  static void begin(uint32_t /*tier*/) {}
  static void ask(uint32_t /*tier*/) {}
};

// Writes a record that has a note of every candidate.
class Recorder {
 public:
  static constexpr bool kListens = true;

  Recorder(std::span<const Tier> tiers, const Asked& asked, PickRecord& record)
      : tiers_(tiers), asked_(asked), record_(record) {
    for (uint32_t tier = 0; tier < tiers.size(); tier++) {
      starts_.push_back(static_cast<uint32_t>(record.candidates.size()));
      for (const policy::Candidate& c : tiers[tier].candidates()) {
        record.candidates.push_back(
            {.slot = c.slot,
             .tier = tier,
             .weight = c.weight,
             .max_connections = c.max_connections,
             .active = asked.signals.active[c.slot].load(std::memory_order_relaxed),
             .load = asked.signals.load[c.slot].load(std::memory_order_relaxed),
             .standing = Standing::not_asked,
             .score = std::nullopt});
      }
    }
  }

  void begin(uint32_t tier) { record_.first_tier = tier; }
  // Its candidates are looked at now, also those that the policy need not look at.
  void ask(uint32_t tier) {
    record_.tier = tier;
    const std::span<const policy::Candidate> candidates = tiers_[tier].candidates();
    for (uint32_t i = 0; i < candidates.size(); i++) {
      note(tier, i).standing = standing_of(candidates[i], asked_);
    }
  }
  void note_score(uint32_t tier, uint32_t index, double score) { note(tier, index).score = score; }

 private:
  CandidateNote& note(uint32_t tier, uint32_t index) {
    return record_.candidates[starts_[tier] + index];
  }

  std::span<const Tier> tiers_;
  const Asked& asked_;
  PickRecord& record_;
  std::vector<uint32_t> starts_;
};

// What a tier's policy may pick.
template <typename Witness>
struct UsableCandidates {
  std::span<const policy::Candidate> candidates;
  const Asked& asked;
  uint32_t tier;
  Witness& witness;

  bool operator()(uint32_t index) const {
    return standing_of(candidates[index], asked) == Standing::usable;
  }
  void note_score(uint32_t index, double score) const
    requires Witness::kListens
  {
    witness.note_score(tier, index, score);
  }
};

template <typename Witness>
uint32_t pick_from(std::span<const Tier> tiers, uint32_t index, const Asked& asked,
                   policy::Cursor& cursor, Witness& witness) {
  const Tier& tier = tiers[index];
  const std::span<const policy::Candidate> candidates = tier.candidates();
  const policy::Question question{.key = asked.key, .cursor = cursor, .signals = asked.signals};
  uint32_t picked = policy::kNoPick;
  if (!Witness::kListens && asked.tried.count == 0 && !tier.limited()) {
    // The usual first pick: every candidate will do, and the compiler knows it.
    picked = tier.pick(question, [](uint32_t) { return true; });
  } else {
    const UsableCandidates<Witness> usable{candidates, asked, index, witness};
    picked = tier.pick(question, usable);
  }
  return picked == policy::kNoPick ? policy::kNoPick : candidates[picked].slot;
}

// With the tier's own turns in the cursor's place.
template <typename Witness>
uint32_t pick_in_turn(std::span<const Tier> tiers, uint32_t index, const Asked& asked,
                      policy::Cursor& cursor, Witness& witness) {
  witness.ask(index);
  if (index == 0) return pick_from(tiers, 0, asked, cursor, witness);
  std::swap(cursor.position, cursor.further_positions[index - 1]);
  const uint32_t slot = pick_from(tiers, index, asked, cursor, witness);
  std::swap(cursor.position, cursor.further_positions[index - 1]);
  return slot;
}

}  // namespace

void Pool::set_tiers(PolicyKind kind, std::vector<Tier> tiers) {
  tiers_ = std::move(tiers);
  keyed_ = is_keyed(kind);
  reads_signals_ = table::reads_signals(kind);
  shared_ = tiers_.size() > 1 && std::any_of(tiers_.begin() + 1, tiers_.end(),
                                             [](const Tier& tier) { return tier.share() != 0; });
}

policy::Key Pool::key_of(const Arrival& arrival) const {
  // An IPv4 prefix counts behind the 96 bits of the v4-mapped form. A client on a unix socket has
  // no address: to a keyed policy they are all one.
  const os::ClientAddress& client = arrival.client;
  const uint32_t prefix_bits = client.family == AF_INET ? 96 + hash_prefix_v4 : hash_prefix_v6;
  switch (key) {
    case PolicyKey::source:
      return policy::Key::from(client.ip, prefix_bits);
    case PolicyKey::source_port:
      return policy::Key::from(client.ip, prefix_bits).with_port(client.port);
    case PolicyKey::destination:
      return policy::Key::from(arrival.destination.ip, 128).with_port(arrival.destination.port);
  }
  return {};  // not a PolicyKey: the builder has refused it
}

uint32_t Pool::first_tier(const policy::Question& question) const {
  if (!shared_) return 0;
  const uint32_t random = keyed_ ? static_cast<uint32_t>(question.key.hash(kTierSeed) >> 32U)
                                 : policy::next_random(question.cursor);
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

bool Pool::has_candidate(uint32_t target_slot) const {
  const auto is_it = [target_slot](const policy::Candidate& candidate) {
    return candidate.slot == target_slot;
  };
  return std::ranges::any_of(
      tiers_, [&](const Tier& tier) { return std::ranges::any_of(tier.candidates(), is_it); });
}

bool Pool::has_untried(const TriedTargets& tried) const {
  const auto untried = [&tried](const policy::Candidate& candidate) {
    return !tried.contains(candidate.slot);
  };
  return std::ranges::any_of(
      tiers_, [&](const Tier& tier) { return std::ranges::any_of(tier.candidates(), untried); });
}

// The one pick that there is; `make_witness` is told what it asks about.
template <typename MakeWitness>
uint32_t Pool::pick_before(const MakeWitness& make_witness, const Arrival& arrival,
                           policy::Cursor& cursor, const policy::Signals& signals,
                           const TriedTargets& tried) const {
  if (tiers_.empty()) return policy::kNoPick;
  const policy::Key own_key = key_of(arrival);
  const policy::Signals seen = load_turns ? signals.counting_turns() : signals;
  const Asked asked{own_key, seen, tried};
  auto witness = make_witness(asked);
  const uint32_t first = first_tier({.key = own_key, .cursor = cursor, .signals = seen});
  witness.begin(first);
  uint32_t picked = pick_in_turn(tiers_, first, asked, cursor, witness);
  for (uint32_t i = 0; picked == policy::kNoPick && i < tiers_.size(); i++) {
    if (i != first) picked = pick_in_turn(tiers_, i, asked, cursor, witness);
  }
  return picked;
}

uint32_t Pool::pick(const Arrival& arrival, policy::Cursor& cursor, const policy::Signals& signals,
                    const TriedTargets& tried) const {
  return pick_before([](const Asked&) { return Nobody{}; }, arrival, cursor, signals, tried);
}

PickRecord Pool::explain(const Arrival& arrival, policy::Cursor cursor,
                         const policy::Signals& signals, const TriedTargets& tried) const {
  PickRecord record;
  const auto recorder = [&](const Asked& asked) { return Recorder(tiers_, asked, record); };
  record.slot = pick_before(recorder, arrival, cursor, signals, tried);
  if (record.slot == policy::kNoPick) record.tier = policy::kNoPick;
  return record;
}

}  // namespace sluice::table
